"""The stuff of an ML job: a dataset, words about it, a script that trains, a model card."""

from typing import Any

from tests.fakes.hub.server import FakeHub
from tests.model_server import CallScript
from tests.oracle import Frame

DATASET, NET, PAPER = "ada/reviews", "ada/reviews-net", "2305.18290"
ROWS: list[dict[str, Any]] = [
    {"review": "A film to see.", "label": 1},
    {"review": "Dull and long.", "label": 0},
]
FEATURES = [
    {"name": "review", "type": {"dtype": "string", "_type": "Value"}},
    {"name": "label", "type": {"names": ["neg", "pos"], "_type": "ClassLabel"}},
]
STATISTICS = [
    {
        "column_name": "label",
        "column_type": "class_label",
        "column_statistics": {"n_unique": 2, "frequencies": {"neg": 480, "pos": 520}},
    }
]
RECIPE = "# Small nets\n\n## 3 Recipe\n\nLogistic regression on words, learning rate 0.5.\n"
TRAIN = """\
import math

EPOCHS = 3
ROWS = [
    {"review": "A film to see.", "label": 1},
    {"review": "Dull and long.", "label": 0},
]

weights = {}
for epoch in range(1, EPOCHS + 1):
    loss = 0.0
    for row in ROWS:
        words = row["review"].lower().strip(".").split()
        guess = 1 / (1 + math.exp(-sum(weights.get(word, 0.0) for word in words)))
        loss -= math.log(guess if row["label"] else 1 - guess)
        for word in words:
            weights[word] = weights.get(word, 0.0) + 0.5 * (row["label"] - guess)
    print(f"epoch {epoch} of {EPOCHS}: loss {loss / len(ROWS):.4f}", flush=True)
"""
SMOKE = "sed 's/^EPOCHS = .*/EPOCHS = 1/' train.py > smoke.py && python3 smoke.py"
LAUNCH: Frame = {
    "operation": "uv",
    "script": TRAIN,
    "dependencies": ["datasets"],
    "title": "Train the reviews net",
    "hardware": "a10g-small",
    "timeout": "30m",
    "secrets": ["HF_TOKEN"],
}


def put(hub: FakeHub) -> None:
    """The dataset and what is written about it, where the agent's tools look."""
    hub.viewer.splits[DATASET] = {("default", "train"): ROWS, ("default", "test"): ROWS[:1]}
    hub.viewer.features[DATASET] = FEATURES
    hub.viewer.statistics[DATASET] = STATISTICS
    hub.papers.add(PAPER, "Small nets for reviews")
    hub.papers.text[PAPER] = RECIPE
    hub.docs.found = [
        {
            "text": "<code>load_dataset</code> takes the name of a dataset.",
            "product": "datasets",
            "heading1": "Load",
            "source_page_url": "https://huggingface.co/docs/datasets/loading",
        }
    ]


def plan(*statuses: str) -> CallScript:
    steps = ("Look at the data", "Try it small", "Train", "Publish")
    items = [
        {"id": str(number), "content": content, "status": status}
        for number, (content, status) in enumerate(zip(steps, statuses, strict=True), 1)
    ]
    return CallScript("plan", {"items": items})


def card(result: str) -> str:
    return f"---\nlicense: mit\ndatasets: [{DATASET}]\n---\n# Reviews net\n\nTrained: {result}\n"
