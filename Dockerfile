# The lab in a container: not root, nothing written outside /tmp and /data.
# requirements.txt gives torch with CUDA on Linux; for the smaller build without, give the index that torch's own
# instructions name: docker build --build-arg PIP_EXTRA_INDEX_URL=... --build-arg TORCH_BUILD=+cpu .
FROM python:3.12-slim AS build
ARG PIP_EXTRA_INDEX_URL TORCH_BUILD
WORKDIR /src
COPY pyproject.toml setup.py README.md LICENSE requirements.txt ./
COPY lpc_core lpc_core
COPY app app
COPY assets assets
RUN python -m venv /opt/lpc \
 && sed -i "s/^torch==.*/&$TORCH_BUILD/" requirements.txt \
 && /opt/lpc/bin/pip install --no-cache-dir -r requirements.txt \
 && /opt/lpc/bin/pip install --no-cache-dir --no-deps .

FROM python:3.12-slim
RUN useradd --uid 10001 --no-create-home lpc && install -d -o lpc /data
COPY --from=build /opt/lpc /opt/lpc
USER lpc
WORKDIR /tmp
ENV HOME=/tmp LPC_DATA=/data PYTHONDONTWRITEBYTECODE=1
EXPOSE 8501
HEALTHCHECK --start-period=60s CMD ["/opt/lpc/bin/python", "-c", \
  "import os, urllib.request as u; u.urlopen('http://127.0.0.1:8501' + os.environ.get('LPC_PREFIX', '').rstrip('/') + '/lab/health', timeout=5)"]
CMD ["/opt/lpc/bin/lpc", "serve", "--host", "0.0.0.0"]
