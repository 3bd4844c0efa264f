# One image for every service; the command of a container says which one it is: docs/serving.md.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements-server.lock scripts/install ./
RUN python -m venv /opt/steelyard && ./install /opt/steelyard requirements-server.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src src
RUN /opt/steelyard/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --uid 1000 --create-home steelyard \
    && install -d -o 1000 -g 1000 -m 0700 /var/lib/steelyard
COPY --from=build /opt/steelyard /opt/steelyard
ENV PATH=/opt/steelyard/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    STEELYARD_HOME=/var/lib/steelyard
USER 1000:1000
ENTRYPOINT ["steelyard", "serve"]
CMD ["all"]
