# docker build -t graft . && docker run --rm -it graft demo
# Debian 13.7 as of 5 October 2026. --build-arg BASE=debian:trixie-slim takes the newest instead.
ARG BASE=debian:trixie-20261005-slim@sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f

FROM ${BASE} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ python3 python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*
COPY tools.lock /opt/
RUN python3 -m venv /opt/tools && /opt/tools/bin/pip install --no-cache-dir \
    --only-binary :all: --require-hashes -r /opt/tools.lock
RUN python3 -m venv --without-pip /opt/graft
WORKDIR /src
ENV UV_LINK_MODE=copy VIRTUAL_ENV=/opt/graft
ARG EXTRAS=""
# The dependencies first: they change less often than the code, and a layer keeps them.
COPY setup.py requirements.lock ./
RUN /opt/tools/bin/uv pip install --no-cache --compile-bytecode \
    --constraint requirements.lock --requirements setup.py ${EXTRAS:+--extra ${EXTRAS}}
COPY . .
RUN /opt/tools/bin/uv pip install --no-cache --compile-bytecode --no-deps .

FROM ${BASE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends libstdc++6 python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 graft \
    && install --directory --owner=graft --group=graft /work
COPY --from=build /opt/graft /opt/graft
# A name and a home for Keras and TFX where `docker run --user` names a user that is not here.
ENV PATH=/opt/graft/bin:$PATH USER=graft KERAS_HOME=/tmp/keras
USER graft
WORKDIR /work
ENTRYPOINT ["graft"]
CMD ["--help"]
