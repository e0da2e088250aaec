# One image for the worker, the commands and the examples.
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY app app
# Everything of the lock file is fetched with its hash; of that the image gets what runs, without the development tools.
RUN pip wheel --no-cache-dir --require-hashes --no-deps --requirement requirements.lock --wheel-dir /wheels \
 && python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --no-index --find-links /wheels '.[demo]'

FROM python:3.12-slim
RUN useradd --system --uid 1000 --create-home meta
COPY --from=build /venv /venv
COPY examples /examples
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /home/meta
USER meta
ENTRYPOINT ["meta-orchestrator"]
CMD ["--help"]
