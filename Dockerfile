# Builds with everything, runs with what running needs. See docs/operation.md.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY nodes/package.json nodes/
COPY dashboards/package.json dashboards/
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --no-audit --no-fund \
 && rm -rf node_modules/node-linux-* node_modules/@biomejs node_modules/@lydell node_modules/.bin/node

FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data FOIEFLOW_SIMULATE=0 LOG_FORMAT=json
WORKDIR /app
COPY --from=build /app ./
RUN install -d -o 10001 -g 10001 -m 0700 /data
USER 10001:10001
VOLUME /data
EXPOSE 1880 1883
HEALTHCHECK --interval=15s --timeout=5s --start-period=90s CMD ["node", "scripts/healthcheck.ts"]
CMD ["node", "--v8-pool-size=0", "scripts/start.ts"]
