from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from etcl_greeting import greeting

from board.forms import EntryForm
from board.models import Entry


def index(request):
    """The board; the greeting comes from the virtual environment."""
    return render(request, "board/index.html", {
        "entries": Entry.objects.all()[:50],
        "greeting": greeting(request.user.get_username()),
    })


@login_required
def new(request):
    form = EntryForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        form.instance.author = request.user.get_username()
        entry = form.save()
        messages.success(request, f"“{entry.title}” is on the board.")
        return redirect("index")
    return render(request, "board/new.html", {"form": form})
