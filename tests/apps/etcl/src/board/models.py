from django.db import models


class Entry(models.Model):
    """A notice on the board, perhaps with a file."""

    title = models.CharField(max_length=80)
    text = models.TextField(blank=True)
    attachment = models.FileField(upload_to="board/", blank=True)
    author = models.CharField(max_length=150, editable=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created"]
        verbose_name_plural = "entries"

    def __str__(self):
        return self.title
