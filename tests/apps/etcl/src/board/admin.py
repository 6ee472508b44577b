from django.contrib import admin

from board.models import Entry


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):
    list_display = ["title", "author", "created", "attachment"]
    search_fields = ["title", "text"]
