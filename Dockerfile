# The one image of the operator and of its workers: two programs and the libraries they need, no shell.
#   docker build --tag ghcr.io/kafka-backup-operator/kafka-backup-operator:0.1.0 .
FROM debian:12 AS build
RUN apt-get update -qq && apt-get install -qqy --no-install-recommends ca-certificates
WORKDIR /source
COPY tools/install-deps.sh tools/
RUN tools/install-deps.sh build
COPY . .
ARG PROGRAMS="kafka-backup-operator kafka-backup"
RUN cmake --preset release && ninja -C build/release ${PROGRAMS}
RUN cd build/release && ../../tools/rootfs.sh /rootfs ${PROGRAMS}

FROM scratch
LABEL org.opencontainers.image.title="kafka-backup-operator" \
      org.opencontainers.image.description="Backs up Apache Kafka topics and restores them exactly" \
      org.opencontainers.image.source="https://github.com/kafka-backup-operator/kafka-backup-operator" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /rootfs /
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/kafka-backup-operator"]
