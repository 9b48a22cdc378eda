"""What happens: use cases as plain functions of a :class:`~twinbench.workflow.lab.Lab`, returning small JSON."""
