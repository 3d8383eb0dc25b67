# docker build -t prmdata . && docker run --rm -v "$PWD:/data" prmdata demo
# The sandbox for code needs Landlock (Linux 5.13) on the host, or --security-opt seccomp=unconfined.
FROM python:3.12-slim AS build
COPY . /source
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /source

FROM python:3.12-slim
COPY constraints.txt /tmp/constraints.txt
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir -c /tmp/constraints.txt /wheels/*.whl
RUN useradd --create-home prmdata
USER prmdata
WORKDIR /data
ENTRYPOINT ["prmdata"]
CMD ["--help"]
