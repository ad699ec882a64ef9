"""The fake Hub's dataset viewer: what a dataset holds, or why the viewer does not show it."""

from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

Split = tuple[str, str]


class Viewer:
    """`splits` maps datasets to (config, split) -> rows; `closed` to (status, code, words)."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self.splits: dict[str, dict[Split, list[dict[str, Any]]]] = {}
        self.features: dict[str, list[dict[str, Any]]] = {}
        self.statistics: dict[str, list[dict[str, Any]]] = {}
        self.closed: dict[str, tuple[int, str, str]] = {}
        self.pending: set[str] = set()
        self.gated: set[str] = set()
        self._users = users

    def routes(self) -> Iterator[web.RouteDef]:
        for name in ("splits", "size", "first-rows", "statistics"):
            yield web.get(f"/viewer/{name}", self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        dataset, what = request.query["dataset"], request.path.rpartition("/")[2]
        token = (request.headers.get("Authorization") or "").removeprefix("Bearer ")
        if dataset in self.gated and token not in self._users:
            says = "The dataset does not exist, or is not accessible without authentication."
            return refusal(401, "ExternalUnauthenticatedError", says)
        if dataset in self.closed:
            return refusal(*self.closed[dataset])
        if dataset not in self.splits:
            return refusal(404, "ResponseNotFound", "Not found.")
        if what in self.pending:
            return refusal(500, "ResponseNotReady", "The server is busier than usual.")
        return web.json_response(getattr(self, f"_{what.replace('-', '_')}")(dataset, request))

    def _splits(self, dataset: str, request: web.Request) -> dict[str, Any]:
        listed = [
            {"dataset": dataset, "config": config, "split": split}
            for config, split in self.splits[dataset]
        ]
        return {"splits": listed, "pending": [], "failed": []}

    def _size(self, dataset: str, request: web.Request) -> dict[str, Any]:
        sizes = [
            {
                "dataset": dataset,
                "config": config,
                "split": split,
                "num_rows": 1000 * len(rows),
                "num_bytes_parquet_files": 2000 * len(rows),
                "num_columns": 2,
                "estimated_num_rows": None,
            }
            for (config, split), rows in self.splits[dataset].items()
        ]
        return {"size": {"dataset": {}, "configs": [], "splits": sizes}, "partial": False}

    def _first_rows(self, dataset: str, request: web.Request) -> dict[str, Any]:
        rows = self.splits[dataset][request.query["config"], request.query["split"]]
        features = [
            {"feature_idx": n, **feature} for n, feature in enumerate(self.features[dataset])
        ]
        listed = [{"row_idx": n, "row": row, "truncated_cells": []} for n, row in enumerate(rows)]
        return {"features": features, "rows": listed, "truncated": False}

    def _statistics(self, dataset: str, request: web.Request) -> dict[str, Any]:
        return {
            "num_examples": 1000,
            "statistics": self.statistics.get(dataset, []),
            "partial": False,
        }


def refusal(status: int, code: str, says: str) -> web.Response:
    return web.json_response({"error": says}, status=status, headers={"X-Error-Code": code})
