# One image for web, worker, beat and migrations: docker-compose.yml says which command runs.
# It holds no key and no password; those come from the environment when it starts.

FROM python:3.11-slim-bookworm AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/opt/venv/bin:$PATH
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin site && python -m venv /opt/venv
WORKDIR /site
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt

# Development only: shows the mail instead of sending it.
FROM base AS mail-catcher
COPY requirements-local.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements-local.txt
COPY . ./
USER site
ENV MAIL_BIND=0.0.0.0 MAIL_DIRECTORY=/tmp/mail
CMD ["python", "-m", "recovery_groups.mail_catcher"]

FROM base AS site
COPY . ./
# Gathering static files needs settings but neither a database nor a real key: LOCAL lets it do without.
RUN LOCAL=on SECRET_KEY=only-while-the-image-is-built python manage.py collectstatic --noinput --verbosity 0
USER site
ENV PORT=8000 WEB_CONCURRENCY=3
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=6s --start-period=20s \
    CMD ["python", "-m", "recovery_groups.processes", "web-answers"]
CMD ["gunicorn", "recovery_groups.wsgi", "--preload", "--threads", "4", "--timeout", "30", "--graceful-timeout", "20", \
     "--max-requests", "5000", "--max-requests-jitter", "500", "--no-control-socket"]
