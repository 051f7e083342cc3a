# One file, four images: `ares` (API, workers, beat, Flower), `page` (nginx with the built page), `sign-in` (oauth2-proxy).
# docker compose builds them; every image runs as a user without rights.

FROM node:24-alpine AS page-build
WORKDIR /page
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM nginxinc/nginx-unprivileged:1.29-alpine AS page
COPY --from=page-build /page/dist /usr/share/nginx/html
COPY nginx.conf /etc/nginx/templates/default.conf.template
# Only our own variable is filled in; nginx's own keep their dollar.
ENV NGINX_ENVSUBST_FILTER=PROXY_SECRET

FROM golang:1.26-alpine AS sign-in-build
RUN CGO_ENABLED=0 go install github.com/oauth2-proxy/oauth2-proxy/v7@v7.15.6

FROM alpine:3.22 AS sign-in
RUN apk add --no-cache ca-certificates && adduser -D -H -u 10001 proxy
COPY --from=sign-in-build /go/bin/oauth2-proxy /usr/local/bin/oauth2-proxy
USER 10001
ENTRYPOINT ["oauth2-proxy"]

FROM python:3.11-slim AS ares
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
WORKDIR /srv/ares
COPY requirements.txt ./
RUN pip install --no-deps --require-hashes --only-binary :all: -r requirements.txt
RUN pip install hatchling editables
COPY . ./
RUN pip install --no-deps --no-build-isolation --editable . \
    && useradd --uid 10001 --create-home ares && mkdir -p .ares && chown ares .ares
USER 10001
ENTRYPOINT []
CMD ["python", "main.py"]
