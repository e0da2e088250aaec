"""The product on real and made-up data, beside trivial rules and published marks: `make judge`, `python -m judge nab`.

Each module has `rows() -> list[Row]`. Settings are fixed: the product's defaults, the same for every set.
"""
