"""Readers of what annotation tools and competitions write, one module per form.

Each parses its files into :class:`~yolo_cli.datasets.forms.assembling.Entry` objects; one function makes
samples of them. An image whose annotations could not all be understood is left out, with a finding.
"""
