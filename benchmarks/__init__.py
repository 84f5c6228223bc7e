"""What the README claims, measured: each module prints (and some write to docs/) the figures of one subject.

- ``main_job`` training speed and gaps on the Gaussian source
- ``speed`` nearest points per second of every lattice, and training steps
- ``limit`` how close to R(D): every quantizer, files, low rates (``limit_points``, ``limit_pictures``, ``parts``)
- ``leech_low_rate`` what limits the Leech lattice below 0.75 bit
- ``trellis_codes`` second moments of trellis codes, and a search for better ones
- ``nsm_optimizer`` lattices found from random bases
- ``codec`` files: their rate above the exact one, and the speed of writing and reading them
- ``pack`` arrays without training: speed, memory, the weights of a network (``pack_network``), and NNCodec
  (``pack_rival``)
- ``ecvq`` entropy-constrained vector quantization in one to eight dimensions
- ``one_shot`` lattices, rounding and NTC on one symbol at a time
- ``images`` lattices against rounding in an image codec; ``image_step`` what a lattice costs in its training;
  ``image_positions`` what a position costs where one is coded after the other; ``tiles`` big pictures part by part
- ``multirate`` one image network for all rates, its lattices and their search (``multirate_page``, ``multirate_time``,
  ``crop_picture``), beside the codecs that people use (``pillow_codecs``), on ``kodak``;
  ``image_limit`` what theory lets a lattice save in it
- ``olvq`` learned lattices in image networks: the two tables of OLVQ at the size of a laptop
- ``quantizers`` what quantizing a vector costs
- ``sweeps`` what killing sweeps, launchers and callbacks cost (``callback_time``)
- ``own_data`` memory and time of an array of five million vectors
- ``paper`` every experiment of the paper
- ``walks`` the files that a job, a codec and an image pass
- ``bd_rate`` Bjøntegaard's delta rate; ``spent`` the time that a folder of results has taken
- ``provenance`` the line that says where a figure was measured; ``kept_sections`` pages made anew in part; ``tasks``
  for several processes, with what waits for them
"""
