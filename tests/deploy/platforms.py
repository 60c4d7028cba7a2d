# SPDX-License-Identifier: MIT
"""What each platform's file may hold: a strict subset of what the platform documents."""
import re

from shapes import Each, Either, Nothing

TEXT = re.compile(r".+")
NAME = re.compile(r"[a-z][a-z0-9-]*")
ROUTE = re.compile(r"/[a-z]+")
SECONDS = re.compile(r"\d+s")
MEMORY = re.compile(r"\d+(Mi|Gi)")
PORT = {8080}
METRICS_PORT = 9100
EMPTY = Nothing()

_render_service = {
    "type": {"web"},
    "name": NAME,
    "runtime": {"docker"},
    "plan": {"starter", "standard", "pro"},
    "region": {"oregon", "ohio", "virginia", "frankfurt", "singapore"},
    "dockerfilePath": {"./Dockerfile"},
    "healthCheckPath": ROUTE,
    "autoDeployTrigger": {"commit", "checksPass", "off"},
    "maxShutdownDelaySeconds": {30},
    "envVars": [
        Either(
            {"key": TEXT, "value": TEXT},
            {"key": TEXT, "generateValue": {True}},
            {"key": TEXT, "fromDatabase": {"name": NAME, "property": {"connectionString"}}},
        )
    ],
}
RENDER_SQLITE = {"services": [{**_render_service, "disk": {"name": NAME, "mountPath": {"/data"}, "sizeGB": int}}]}
RENDER_POSTGRES = {
    "services": [{**_render_service, "numInstances": int}],
    "databases": [
        {
            "name": NAME,
            "plan": NAME,
            "region": NAME,
            "postgresMajorVersion": re.compile(r"\d\d"),
            "ipAllowList": EMPTY,
        }
    ],
}

FLY = {
    "app": NAME,
    "primary_region": re.compile(r"[a-z]{3}"),
    "kill_signal": {"SIGTERM"},
    "kill_timeout": int,
    "build": {"dockerfile": {"Dockerfile"}, "args": Each("[A-Z_]+", TEXT)},
    "env": Each("[A-Z_]+", TEXT),
    "deploy": {"strategy": {"rolling", "immediate"}},
    "metrics": {"port": {METRICS_PORT}, "path": {"/metrics"}},
    "mounts": [{"source": re.compile(r"[a-z0-9_]+"), "destination": {"/data"}, "initial_size": re.compile(r"\d+gb")}],
    "http_service": {
        "internal_port": PORT,
        "force_https": {True},
        "auto_stop_machines": {"off", "stop", "suspend"},
        "auto_start_machines": bool,
        "min_machines_running": int,
        "checks": [
            {"method": {"GET"}, "path": ROUTE, "interval": SECONDS, "timeout": SECONDS, "grace_period": SECONDS}
        ],
    },
    "vm": [{"size": TEXT, "memory": re.compile(r"\d+mb")}],
}

RAILWAY = {
    "$schema": {"https://railway.com/railway.schema.json"},
    "build": {"builder": {"DOCKERFILE"}, "dockerfilePath": {"Dockerfile"}},
    "deploy": {
        "healthcheckPath": ROUTE,
        "healthcheckTimeout": int,
        "restartPolicyType": {"ON_FAILURE", "ALWAYS", "NEVER"},
        "restartPolicyMaxRetries": int,
        "drainingSeconds": int,
        "overlapSeconds": {0},
    },
}

HEROKU_APP = {
    "name": TEXT,
    "description": TEXT,
    "keywords": [str],
    "stack": {"container"},
    "env": Each("[A-Z_]+", {"description": TEXT, "value?": TEXT, "generator?": {"secret"}}),
    "formation": {"web": {"quantity": int, "size": NAME}},
    "addons": [{"heroku-postgresql"}],
}
HEROKU_BUILD = {"build": {"docker": {"web": {"Dockerfile"}}}}

_http_get = {"path": ROUTE, "port": Either(PORT, {"http"})}
_probe = {"httpGet": _http_get, "periodSeconds": int, "failureThreshold?": int}

CLOUD_RUN = {
    "apiVersion": {"serving.knative.dev/v1"},
    "kind": {"Service"},
    "metadata": {"name": NAME, "annotations": Each(r"run\.googleapis\.com/ingress", TEXT)},
    "spec": {
        "template": {
            "metadata": {
                "annotations": Each(
                    r"autoscaling\.knative\.dev/(minScale|maxScale)|run\.googleapis\.com/cloudsql-instances", TEXT
                )
            },
            "spec": {
                "containerConcurrency": int,
                "timeoutSeconds": int,
                "containers": [
                    {
                        "image": TEXT,
                        "ports": [{"name": {"http1"}, "containerPort": PORT}],
                        "env": [
                            Either(
                                {"name": TEXT, "value": TEXT},
                                {"name": TEXT, "valueFrom": {"secretKeyRef": {"name": NAME, "key": TEXT}}},
                            )
                        ],
                        "resources": {"limits": {"cpu": TEXT, "memory": MEMORY}},
                        "startupProbe": _probe,
                        "livenessProbe": _probe,
                    }
                ],
            },
        },
        "traffic": [{"percent": {100}, "latestRevision": {True}}],
    },
}

_service = {
    "build?": {"context": {"../.."}},
    "image": TEXT,
    "restart": {"unless-stopped"},
    "read_only?": {True},
    "tmpfs?": [{"/tmp"}],
    "cap_drop?": [{"ALL"}],
    "security_opt?": [{"no-new-privileges:true"}],
    "environment": Each("[A-Z_]+", str),
    "volumes?": [TEXT],
    "secrets?": [TEXT],
    "depends_on?": Each("[a-z0-9-]+", {"condition": {"service_healthy"}}),
    "expose?": [{"8080", str(METRICS_PORT)}],
    "ports?": [{"80:80", "443:443"}],
    "healthcheck?": {"test": [str], "interval": SECONDS, "timeout": SECONDS, "retries": int},
    "stop_grace_period?": SECONDS,
    "mem_limit?": re.compile(r"\d+m"),
    "pids_limit?": int,
}
COMPOSE = {
    "name": NAME,
    "x-node?": _service,
    "services": Each("[a-z0-9-]+", _service),
    "volumes": Each("[a-z]+", {}),
    "secrets?": Each("[a-z_]+", {"file": re.compile(r"\./secrets/[a-z_]+")}),
}
