"""Areas: one dashboard each, for everybody. ``Signal.area`` is the key of one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from components.observability.dashboards.board import Folder, Variable

PLATFORM: Final = Folder("bedplate-platform", "Platform")
MODELS: Final = Folder("bedplate-models", "Models")

# What may be chosen in an area, in this order. Each is offered where a query of the area has the label.
_TEAM = Variable("team", "Team", "team:namespace:info")
_MODEL = Variable("model", "Model", "model:info")
_NAMESPACE = Variable("namespace", "Namespace")
_POOL = Variable("pool", "Pool")
_NODE = Variable("node", "Node")


@dataclass(frozen=True)
class Area:
    """``about_models``: its signals are of single models, and appear in each model's dashboard, too."""

    title: str
    description: str
    folder: Folder
    variables: Sequence[Variable]
    about_models: bool = False


AREAS: Final[Mapping[str, Area]] = {
    "models": Area(
        "Models", "How fast and how well every model answers, against what it promises.", MODELS, (_TEAM, _MODEL), True
    ),
    "quality": Area(
        "Prediction quality", "How right the models are, and how late anybody learns it.", MODELS, (_TEAM, _MODEL), True
    ),
    "data": Area(
        "Data distribution",
        "How far the features of today are from those that the models were trained on.",
        MODELS,
        (_TEAM, _MODEL),
        True,
    ),
    "llm": Area(
        "LLM serving", "Queues, tokens and caches of the servers of language models.", MODELS, (_TEAM, _MODEL), True
    ),
    "gpus": Area(
        "GPUs", "Who uses them, who only holds them, what that wastes, and which are ailing.", PLATFORM, (_TEAM, _POOL)
    ),
    "training": Area("Training", "How far training jobs are, and which failed.", PLATFORM, (_TEAM, _NAMESPACE)),
    "pipelines": Area("Pipelines", "Runs of Airflow and Kubeflow: success and duration.", PLATFORM, (_TEAM,)),
    "features": Area("Features", "How old the features are that models are served with.", PLATFORM, (_TEAM,)),
    "storage": Area("Storage", "How full volumes are, and when they will be.", PLATFORM, (_TEAM, _NAMESPACE)),
    "cluster": Area("Cluster", "Nodes, pods and quotas.", PLATFORM, (_TEAM, _NAMESPACE, _NODE)),
    "money": Area("Money", "What is spent, by whom, and what the budget is.", PLATFORM, (_TEAM,)),
    "monitoring": Area("Monitoring", "Whether monitoring itself works.", PLATFORM, ()),
}
