# Leadboard on a machine with NVIDIA GPUs. Linted, never built so far. Build from the root of the repository:
#   docker build --tag leadboard .
#   docker run --rm --gpus all --volume RELEASES:/releases:ro --volume STUDY:/study leadboard run --data /releases --out run
# The image holds no data and no weights; torch brings its own CUDA libraries, the base names the driver's interface.
FROM nvidia/cuda:12.8.1-base-ubuntu24.04

# Versions of the base's own packages are those of its release; a pinned one is gone from the mirrors with the next fix.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && python3 -m venv /opt/leadboard \
 && useradd --create-home --uid 10001 leadboard \
 && install --directory --owner=leadboard /study /cache
ENV PATH=/opt/leadboard/bin:$PATH

WORKDIR /source
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY cohorts cohorts
COPY benchmark benchmark
COPY baselines baselines
RUN pip install --no-cache-dir --constraint constraints.txt '.[excel,formats,ray]'

# Prepared cohorts and compiled kernels are worth keeping: mount a volume at /cache.
ENV LEADBOARD_CACHE=/cache/leadboard NUMBA_CACHE_DIR=/cache/numba MPLCONFIGDIR=/cache/matplotlib
USER 10001
WORKDIR /study
ENTRYPOINT ["leadboard"]
CMD ["doctor"]
