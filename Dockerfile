# Detection and serving, without what training needs: docs/install.md says how to run it.
FROM python:3.13-slim AS build
COPY requirements/detect.txt /src/requirements/detect.txt
RUN python -m venv --without-pip /opt/yolo
RUN python -m pip --python /opt/yolo install --no-cache-dir --require-hashes -r /src/requirements/detect.txt
COPY . /src
RUN python -m pip --python /opt/yolo install --no-cache-dir --no-deps /src

FROM python:3.13-slim
COPY --from=build /opt/yolo /opt/yolo
ENV PATH=/opt/yolo/bin:$PATH PYTHONDONTWRITEBYTECODE=1 YOLO_CLI_CACHE=off
USER 65532:65532
WORKDIR /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/health', timeout=4)"]
ENTRYPOINT ["yolo"]
CMD ["serve", "--host", "0.0.0.0"]
