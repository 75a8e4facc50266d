# The program fetal-seg on a CPU, from the wheel in dist/: make wheel && docker build --tag fetal-seg .
# docs/install.md says how to measure a folder with it.
FROM python:3.11-slim AS build
ARG EXTRAS=""
COPY constraints.txt dist/fetal_seg-*.whl /tmp/wheel/
RUN python -m venv /opt/fetal_seg \
    && /opt/fetal_seg/bin/pip install --no-cache-dir --constraint /tmp/wheel/constraints.txt "$(ls /tmp/wheel/*.whl)$EXTRAS"

FROM python:3.11-slim
RUN useradd --uid 10001 --no-create-home --home-dir /tmp measurer
COPY --from=build /opt/fetal_seg /opt/fetal_seg
ENV PATH=/opt/fetal_seg/bin:$PATH XDG_CACHE_HOME=/tmp/cache PYTHONUNBUFFERED=1
USER 10001
WORKDIR /results
ENTRYPOINT ["fetal-seg"]
CMD ["--help"]
