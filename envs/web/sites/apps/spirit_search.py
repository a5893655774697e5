"""Search without an index: topics in which every word occurs, in the title or a comment, the latest first.

An index would be more data to put back before each episode, and older than what the person has just written.
"""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Exists, OuterRef, Q
from haystack.backends import BaseEngine, BaseSearchBackend, BaseSearchQuery, SearchNode
from haystack.models import SearchResult


class Backend(BaseSearchBackend):  # type: ignore[misc]
    """Asks the database."""

    def update(self, index: Any, iterable: Any, commit: bool = True) -> None:
        """Nothing: there is no index."""

    def remove(self, obj: Any, commit: bool = True) -> None:
        """Nothing: there is no index."""

    def clear(self, models: Any = None, commit: bool = True) -> None:
        """Nothing: there is no index."""

    def search(self, query_string: str, **options: Any) -> dict[str, Any]:
        """The topics found; ``query_string`` is what `Query` wrote."""
        from spirit.comment.models import Comment
        from spirit.topic.models import Topic

        asked = json.loads(query_string)
        found = Topic.objects.visible().select_related("category", "category__parent").order_by("-last_active", "-pk")
        for word in asked["words"]:
            said = Comment.objects.filter(topic=OuterRef("pk"), comment__icontains=word, is_removed=False, action=0)
            found = found.filter(Q(title__icontains=word) | Exists(said))
        if asked["categories"]:
            found = found.filter(Q(category__in=asked["categories"]) | Q(category__parent__in=asked["categories"]))
        results = [
            SearchResult(
                "spirit_topic",
                "topic",
                topic.pk,
                0,
                title=topic.title,
                slug=topic.slug,
                comment_count=topic.comment_count,
                last_active=topic.last_active,
                main_category_name=topic.main_category.title,
            )
            for topic in found
        ]
        start, end = options.get("start_offset", 0), options.get("end_offset")
        return {"results": results[start:end], "hits": len(results)}


class Query(BaseSearchQuery):  # type: ignore[misc]
    """Writes down the words and categories that are asked for."""

    def build_query(self) -> str:
        """The words and categories as JSON."""
        words: list[str] = []
        categories: list[int] = []
        self._collect(self.query_filter, words, categories)
        return json.dumps({"words": words, "categories": categories})

    def _collect(self, node: SearchNode, words: list[str], categories: list[int]) -> None:
        for child in node.children:
            if isinstance(child, SearchNode):
                self._collect(child, words, categories)
            elif child[0].startswith("category_id"):
                categories += child[1]
            elif child[0].startswith("content"):
                words += str(getattr(child[1], "query_string", child[1])).split()


class Engine(BaseEngine):  # type: ignore[misc]
    """The two together."""

    backend = Backend
    query = Query
