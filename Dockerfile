# The emulator as an image: a SageMaker endpoint with warm pools on port 4580, for any SageMaker client.
#
#   docker build -t wpfsm-emulator .
#   docker run --rm -p 127.0.0.1:4580:4580 -e WPFSM_EMULATOR_TOKEN=sesame -v emulator:/state wpfsm-emulator
#
# Callers come from outside the container, so the emulator asks them for the token, as AWS_SESSION_TOKEN.
FROM python:3.12-slim

# What jobs need beside Python: a shell, certificates for the package index, and a compiler for what has no wheel.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends bash ca-certificates gcc g++ \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/wpfsm
COPY . .
# What is installed is this folder, whose version is the image's.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir ".[local]" \
    && useradd --create-home --uid 1000 emulator \
    && install -d -o emulator -g emulator -m 0700 /state

USER 1000
WORKDIR /home/emulator
VOLUME /state
EXPOSE 4580
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:4580/_wpfsm/health', timeout=2)"]
ENTRYPOINT ["wpfsm", "emulator", "--host", "0.0.0.0", "--port", "4580", "--state", "/state"]
