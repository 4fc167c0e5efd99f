"""``python -m policies.docs``: write the pages anew."""

from policies.docs.pages import FOLDER, packs, page


def main() -> None:
    """Write a page for each pack."""
    for pack in packs():
        path = FOLDER / f"{pack.name}.md"
        path.write_text(page(pack), encoding="utf-8")
        print(f"{path}: {len(pack.rules)} rules")


main()
