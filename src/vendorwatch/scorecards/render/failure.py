from vendorwatch.errors import Kind, VendorwatchError


class RenderFailed(VendorwatchError):
    """The PDF could not be made: a font lacks a character, or rendering took too long or too much
    memory. No PDF with gaps is ever given out.

    Try again; for the operator: `vendorwatch doctor` looks for fonts and libraries. JSON and CSV
    are not concerned.
    """

    kind = Kind.UNAVAILABLE
    slug = "render-failed"
    title = "The document could not be rendered"
