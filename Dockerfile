# goreleaser builds this for each platform and puts the binary under its name. mcpctl is static and wants nothing of an
# operating system but the certificates of the web.
FROM alpine:3.22 AS certificates
RUN apk add --no-cache ca-certificates

FROM scratch
COPY --from=certificates /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
ARG TARGETPLATFORM
COPY $TARGETPLATFORM/mcpctl /usr/bin/mcpctl
# There is no keyring in here: the key comes as MCPCTL_API_KEY.
ENV HOME=/home/mcpctl
USER 65532:65532
ENTRYPOINT ["/usr/bin/mcpctl"]
