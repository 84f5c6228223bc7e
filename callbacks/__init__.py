"""Lightning's and Hydra's callbacks, and nothing else: thin views of what ``experiment`` and ``ltc`` give.

Lightning's, of a job:

- ``checkpoints`` what a training goes on from, and what ends one that diverges
- ``progress`` the progress bar
- ``coder_file`` the trained coder as ``coder.pt``, and the rate of its real bytes
- ``image_evaluation`` test images through real files
- ``rd_point`` the RD point, handed to all that show it

Hydra's, of a sweep:

- ``output_folder`` whether its folder can be written
- ``sweep_progress`` how far it is
- ``sweep_summary`` what it came to; ``image_curves`` of images
"""
