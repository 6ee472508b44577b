from django import forms

from board.models import Entry


class EntryForm(forms.ModelForm):
    class Meta:
        model = Entry
        fields = ["title", "text", "attachment"]
        widgets = {"text": forms.Textarea(attrs={"rows": 5})}
