"""What tests of the callbacks share: folders as a sweep leaves them, without the training, and a W&B server."""

import csv
import gzip
import http.server
import json
import os
import threading
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture
def make_sweep(tmp_path, rng):
    """``make_sweep("name", ["e8", "z"], [1, 2])``: a sweep's folder with a job for each pair.

    Its figures are random. ``bounded=False``: of a source without R(D); ``overrides``: more settings of the command
    line; ``bare=True``: no logs, no configuration; what is left are figures of the point.
    """

    def make(name, lattices, lambdas, bounded=True, overrides=(), bare=False, **figures):
        folder = tmp_path / name
        jobs = [(lattice, lmbda) for lattice in lattices for lmbda in lambdas]
        for number, (lattice, lmbda) in enumerate(jobs):
            job = folder / str(number)
            job.mkdir(parents=True)
            rate, distortion, gap = (float(v) for v in rng.uniform(0.1, [3, 1, 0.3]))
            point = {
                **{"source": "gaussian", "transform": "linear", "lattice": lattice, "entropy_model": "exact"},
                **{"model": "ltc", "lambda": float(lmbda), "n": 8, "seed": 0, "steps": 20},
                **{"train_seconds": float(rng.uniform(0.1, 100)), "eval_symbols": 8000, "rate": rate},
                **{"distortion": distortion, "bound_rate": rate - gap if bounded else None},
                **{"gap": gap if bounded else None, "coded_rate": rate * 1.001, "rate_error": 0.002},
                **{"distortion_error": 0.001, "gap_error": 0.003 if bounded else None},
                **{"theory_gap": 0.146 if bounded else None, "exact": True, **figures},
            }
            (job / "rd_point.json").write_text(json.dumps(point))
            if bare:
                continue
            (job / ".hydra").mkdir()
            settings = [f"lattice={lattice}", f"lambda={lmbda}", *overrides]
            (job / ".hydra" / "overrides.yaml").write_text(yaml.safe_dump(settings))
            config = {"n": "${block_length:1,8}", "seed": 0, "lambda": float(lmbda), "lattice": {"name": lattice}}
            config |= {"trainer": {"max_steps": 20}, "source": {"variance": 1.0}}
            (job / ".hydra" / "config.yaml").write_text(yaml.safe_dump(config))
            (job / "provenance.json").write_text(
                json.dumps(
                    {
                        **{"commit": "0123abc", "started": f"2026-01-01T00:00:0{number}", "changed": False},
                        **{"processor": "a processor", "gpus": [], "untracked": ["x"] * 99, "command": "x" * 999},
                        "versions": {"torch": "1.2.3", "unheard-of": "4.5.6"},
                    }
                )
            )
            (job / "metrics").mkdir()
            with (job / "metrics" / "metrics.csv").open("w", newline="") as file:
                log = csv.writer(file)
                log.writerow(["epoch", "step", "train/loss", "train/rate", "test/rate"])
                log.writerows(
                    [0, step, float(rng.uniform(1, 2)), float(rng.uniform(1, 2)), ""] for step in range(4, 400, 5)
                )
                log.writerow([1, 400, "", "", rate])
        return folder

    return make


class Server(http.server.ThreadingHTTPServer):
    """As much of a W&B server as ``wandb sync`` and workspaces talk to; it keeps what it is told."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.key = "0" * 40
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.runs = defaultdict(lambda: {"config": {}, "history": {}, "files": {}, "summary": {}, "exit": None})
        self.artifacts, self.views = [], []

    def answer(self, operation, query, variables):
        if operation == "UpsertBucket":
            run = self.runs[variables["name"]]
            run["config"].update(json.loads(variables["config"] or "{}"))
            named = {"group": "groupName", "name": "displayName", "type": "jobType", "commit": "commit"}
            run.update({key: variables[name] for key, name in named.items() if variables.get(name)})
            project = {"id": "p", "name": variables["project"], "entity": {"id": "e", "name": "someone"}}
            names = dict.fromkeys(["id", "name", "displayName", "description"], variables["name"])
            bucket = {**names, "config": None, "sweepName": None, "project": project, "historyLineCount": 0}
            return {"upsertBucket": {"bucket": bucket, "inserted": True}}
        if operation == "CreateArtifact":
            self.artifacts.append(variables["input"])
            made = {"id": "a", "state": "COMMITTED", "artifactSequence": {"latestArtifact": {"id": "a"}}}
            return {"createArtifact": {"artifact": made}}
        if operation == "CreateRunFiles":
            places = [
                {"name": f, "uploadUrl": f"{self.address}/put/{variables['run']}/{f}"} for f in variables["files"]
            ]
            return {"createRunFiles": {"runID": "x", "uploadHeaders": [], "files": places}}
        if "upsertView" in query:
            self.views.append(variables)
            told = {key: variables.get(key) for key in ("name", "displayName", "description", "type", "spec")}
            project = {"id": "p", "name": variables["projectName"], "entityName": variables["entityName"]}
            made = {**told, "id": "v", "project": project, "updatedAt": "2026-01-01T00:00:00"}
            return {"upsertView": {"view": made, "inserted": True}}
        if "query GetProjects" in query:
            return {"models": {"edges": [], "pageInfo": {"endCursor": None, "hasNextPage": False}}}
        if "ProjectInternalId" in query:
            return {"project": {"id": "p", "internalId": "cDox"}}
        if "viewer" in query:
            return {
                "viewer": {"id": "u", "entity": "someone", "username": "someone", "flags": "{}", "teams": {"edges": []}}
            }
        return {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        parts, reply = self.path.strip("/").split("/"), {}
        if parts[0] == "graphql":
            asked = json.loads(body)
            name = asked.get("operationName")
            reply = {"data": self.server.answer(name, asked["query"], asked.get("variables") or {})}
        elif parts[0] == "put":
            self.server.runs[parts[1]]["files"]["/".join(parts[2:])] = body
        elif parts[-1] == "file_stream":
            run, sent = self.server.runs[parts[-2]], json.loads(body)
            log = sent.get("files", {}).get("wandb-history.jsonl", {"offset": 0, "content": []})
            run["history"] |= {log["offset"] + i: json.loads(line) for i, line in enumerate(log["content"])}
            for line in sent.get("files", {}).get("wandb-summary.json", {}).get("content", []):
                run["summary"] = json.loads(line)
            run["exit"] = sent.get("exitcode", run["exit"])
        text = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PUT = do_POST


@pytest.fixture
def server():
    with Server() as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


@pytest.fixture
def call(tmp_path, warm_python):
    """``call("-m", "run", ..., NAME=value)``: Python without an account anywhere, and without a terminal."""

    def run(*arguments, cwd=ROOT, **environment):
        env = {k: v for k, v in os.environ.items() if not k.startswith("WANDB") and k != "NETRC"}
        env |= {"HOME": str(tmp_path / "home"), "COLUMNS": "200", "OMP_NUM_THREADS": "1", **environment}
        return warm_python.run(arguments, cwd, env)

    return run


@pytest.fixture
def synced(call, server):
    """``synced(folder)``: sends all offline runs below a folder; the runs that the server has then."""

    def sync(folder):
        runs = sorted(str(path) for path in folder.rglob("offline-run-*"))
        online = {"WANDB_BASE_URL": server.address, "WANDB_API_KEY": server.key}
        done = call("-m", "wandb", "sync", "--yes", *runs, cwd=folder, **online)
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(server.runs) == len(runs)
        return list(server.runs.values())

    return sync
