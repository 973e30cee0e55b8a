"""A square code for a camera, as a picture that needs no style and no script."""

from django.utils.html import format_html
from django.utils.safestring import SafeString
from qrcode.main import QRCode

QUIET = 4  # modules of white around it, as readers want


def qr_code(address: str, label: str) -> SafeString:
    """An `svg` element of this address, black on white in the dark too."""
    code = QRCode(border=QUIET)
    code.add_data(address)
    code.make(fit=True)
    rows = code.get_matrix()
    dark = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return format_html(
        '<svg class="scan" role="img" aria-label="{}" viewBox="0 0 {} {}" width="232" height="232"'
        ' shape-rendering="crispEdges"><path fill="#000" d="{}"/></svg>',
        label,
        len(rows),
        len(rows),
        dark,
    )
