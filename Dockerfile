# SPDX-License-Identifier: MIT
# The container image: the binary, the libraries it loads, and nothing else (no shell, no packages).
#   docker build -t taskhold .
#   docker run --read-only --tmpfs /tmp -p 8080:8080 -v taskhold-data:/data taskhold
# DEBIAN: bookworm or trixie, what it is built on and takes its libraries from.
ARG DEBIAN=bookworm

FROM debian:${DEBIAN}-slim AS build
WORKDIR /src
COPY script/bootstrap script/progress script/
COPY src/api/docs/requirements.txt src/api/docs/requirements.txt
RUN script/bootstrap build
COPY . .
# REVISION: the commit, for `taskhold version` and the label, as .git is no part of the build. Render and Railway give
# it under a name of their own.
ARG REVISION
ARG RENDER_GIT_COMMIT
ARG RAILWAY_GIT_COMMIT_SHA
RUN export SOURCE_COMMIT="${REVISION:-${RENDER_GIT_COMMIT:-$RAILWAY_GIT_COMMIT_SHA}}" && \
    meson setup /build && ninja -C /build && deploy/container/collect /build/taskhold /image

FROM scratch
ARG VERSION=0.3.0
ARG REVISION=unknown
# Who the server runs as. `0:0` only where a host mounts its disks for root alone (Fly.io, Render).
ARG RUN_AS=65532:65532
LABEL org.opencontainers.image.title="Taskhold" \
      org.opencontainers.image.description="The backend of a to-do application: accounts, tokens and tasks over a REST API" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image/root/ /
COPY --from=build --chown=65532:65532 /image/data/ /data/
ENV PATH=/usr/local/bin \
    HOST=0.0.0.0 \
    DATABASE_URL=sqlite:/data/taskhold.db
USER ${RUN_AS}
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=10s --retries=3 CMD ["taskhold", "healthcheck"]
CMD ["taskhold", "serve"]
