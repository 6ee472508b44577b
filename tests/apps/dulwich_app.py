"""A git server: dulwich's, over the repositories below GIT_ROOT."""

import os

from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Repositories(DictBackend):
    """Each folder below `work` is a repository of its name."""

    def open_repository(self, path):
        name = os.path.basename(path.strip("/"))
        return Repo(os.path.join(ROOT, "work", name))


application = make_wsgi_chain(Repositories({}))
