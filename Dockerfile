# SPDX-License-Identifier: Apache-2.0
# The gateway: built in one stage, run in another that holds the libraries alone. It stays in the
# foreground, runs without root and keeps its state (SQLite store, certificates) in /var/lib/sluice.
FROM debian:12-slim AS build
WORKDIR /src
COPY scripts/deps scripts/deps
RUN apt-get update && apt-get install -y --no-install-recommends pkgconf && scripts/deps build
COPY . .
RUN make -j"$(nproc)" && make install DESTDIR=/out PREFIX=/usr/local

FROM debian:12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libluajit2-5.1-2 libevent-2.1-7 \
        libevent-openssl-2.1-7 libevent-pthreads-2.1-7 libpq5 libjansson4 libssl3 libsqlite3-0 \
        libpcre2-8-0 libyaml-0-2 libc-ares2 libhiredis0.14 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home-dir /var/lib/sluice --create-home sluice
COPY --from=build /out/usr/local /usr/local
USER sluice
ENV SLUICE_PREFIX=/var/lib/sluice SLUICE_NGINX_DAEMON=off \
    SLUICE_PROXY_ACCESS_LOG=/dev/stdout SLUICE_PROXY_ERROR_LOG=/dev/stderr \
    SLUICE_ADMIN_ACCESS_LOG=/dev/stdout SLUICE_ADMIN_ERROR_LOG=/dev/stderr
VOLUME /var/lib/sluice
EXPOSE 8000 8443 8001
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=5s --timeout=3s --retries=10 CMD ["sluice", "health"]
ENTRYPOINT ["sluice"]
CMD ["start"]
