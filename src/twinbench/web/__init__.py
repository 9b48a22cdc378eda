"""What people see of the laboratory: pages and REST, as one FastAPI application that is given its front desk."""

from twinbench.web.app import create_app

__all__ = ["create_app"]
