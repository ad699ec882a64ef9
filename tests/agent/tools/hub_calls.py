"""A right call of every operation of every Hub tool."""

from typing import Any

Arguments = dict[str, Any]
REPO = {"repo_id": "ada/net"}
FILES: tuple[Arguments, ...] = (
    {"operation": "list"},
    {"operation": "read", "path": "a.txt"},
    {"operation": "upload", "path": "a.txt", "content": "x"},
    {"operation": "delete", "path": "a.txt"},
)
GIT: tuple[Arguments, ...] = (
    {"operation": "list_refs"},
    {"operation": "list_prs"},
    {"operation": "get_pr", "num": 1},
    {"operation": "create_branch", "branch": "b"},
    {"operation": "delete_branch", "branch": "b"},
    {"operation": "create_tag", "tag": "t"},
    {"operation": "delete_tag", "tag": "t"},
    {"operation": "create_pr", "title": "T"},
    {"operation": "merge_pr", "num": 1},
    {"operation": "close_pr", "num": 1},
    {"operation": "comment_pr", "num": 1, "comment": "c"},
    {"operation": "change_pr_status", "num": 1, "status": "open"},
    {"operation": "create_repo"},
    {"operation": "update_repo", "private": True},
)
DOCS: tuple[Arguments, ...] = (
    {"operation": "explore"},
    {"operation": "explore", "library": "trl"},
    {"operation": "explore", "query": "sft"},
    {"operation": "fetch", "url": "trl/sft"},
    {"operation": "api_search", "query": "jobs"},
)
PAPERS: tuple[Arguments, ...] = (
    {"operation": "search", "query": "x"},
    {"operation": "trending"},
    *(
        {"operation": operation, "id": "2305.18290"}
        for operation in (
            *("details", "read", "citations", "references", "recommend"),
            *("datasets", "models", "collections"),
        )
    ),
)
JOBS: tuple[Arguments, ...] = (
    {"operation": "run", "command": ["true"]},
    {"operation": "uv", "script": "print(1)"},
    {"operation": "ps"},
    {"operation": "logs", "job_id": "ada/j1"},
    {"operation": "inspect", "job_id": "ada/j1"},
    {"operation": "cancel", "job_id": "ada/j1"},
    {"operation": "schedule", "command": ["true"], "schedule": "@daily"},
    {"operation": "scheduled_ps"},
    {"operation": "scheduled_inspect", "job_id": "p1"},
    {"operation": "scheduled_delete", "job_id": "p1"},
    {"operation": "scheduled_suspend", "job_id": "p1"},
    {"operation": "scheduled_resume", "job_id": "p1"},
)
EVERY: tuple[tuple[str, Arguments], ...] = (
    *(("hf_repo_files", {**REPO, **one}) for one in FILES),
    *(("hf_repo_git", {**REPO, **one}) for one in GIT),
    ("hf_search", {"query": "x"}),
    ("hf_inspect_dataset", {"dataset": "ada/set"}),
    *(("hf_docs", one) for one in DOCS),
    *(("hf_papers", one) for one in PAPERS),
    *(("hf_jobs", one) for one in JOBS),
)
