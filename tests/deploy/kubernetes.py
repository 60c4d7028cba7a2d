# SPDX-License-Identifier: MIT
"""What the manifests of deploy/kubernetes may hold, by kind."""
import re

from platforms import MEMORY, METRICS_PORT, NAME, PORT, ROUTE, TEXT
from shapes import Each, Either

LABELS = Each(r"[a-z.-]+/[a-z-]+", TEXT)
OURS = {"app.kubernetes.io/name": {"taskhold"}}
SELECTOR = {"matchLabels": OURS}
SCRAPED = {
    "prometheus.io/scrape": {"true"},
    "prometheus.io/port": {str(METRICS_PORT)},
    "prometheus.io/path": {"/metrics"},
}
META = {"name": NAME, "labels?": LABELS}
CPU = re.compile(r"\d+m?")
PROBE = {"httpGet": {"path": ROUTE, "port": {"http"}}, "periodSeconds": int, "failureThreshold": int}

CONTAINER = {
    "name": NAME,
    "image": {"taskhold"},
    "args": [str],
    "ports": [
        Either(
            {"name": {"http"}, "containerPort": PORT},
            {"name": {"metrics"}, "containerPort": {METRICS_PORT}},
        )
    ],
    "envFrom": [{"secretRef": {"name": NAME}}],
    "env": [{"name": TEXT, "value": TEXT}],
    "resources": {"requests": {"cpu": CPU, "memory": MEMORY}, "limits": {"cpu": CPU, "memory": MEMORY}},
    "securityContext": {
        "allowPrivilegeEscalation": {False},
        "readOnlyRootFilesystem": {True},
        "capabilities": {"drop": [{"ALL"}]},
    },
    "startupProbe": PROBE,
    "readinessProbe": PROBE,
    "livenessProbe": PROBE,
    "volumeMounts": [{"name": NAME, "mountPath": {"/tmp"}}],
}

POD = {
    "automountServiceAccountToken": {False},
    "enableServiceLinks": {False},
    "terminationGracePeriodSeconds": int,
    "securityContext": {
        "runAsNonRoot": {True},
        "runAsUser": {65532},
        "runAsGroup": {65532},
        "fsGroup": {65532},
        "seccompProfile": {"type": {"RuntimeDefault"}},
    },
    "topologySpreadConstraints": [
        {
            "maxSkew": int,
            "topologyKey": {"kubernetes.io/hostname"},
            "whenUnsatisfiable": {"ScheduleAnyway", "DoNotSchedule"},
            "labelSelector": SELECTOR,
        }
    ],
    "containers": [CONTAINER],
    "volumes": [{"name": NAME, "emptyDir": {"sizeLimit": MEMORY}}],
}

_port = {"protocol": {"TCP", "UDP"}, "port": Either({"http", "metrics"}, int)}
_monitoring = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": {"monitoring"}}}}]

KINDS = {
    "Namespace": ("v1", {"metadata": META}),
    "Deployment": (
        "apps/v1",
        {
            "metadata": META,
            "spec": {
                "selector": SELECTOR,
                "strategy": {
                    "type": {"RollingUpdate"},
                    "rollingUpdate": {"maxUnavailable": int, "maxSurge": int},
                },
                "template": {"metadata": {"labels": OURS, "annotations": SCRAPED}, "spec": POD},
            },
        },
    ),
    "Service": (
        "v1",
        {
            "metadata": META,
            "spec": {
                "type": {"ClusterIP"},
                "selector": OURS,
                "ports": [{"name": {"http"}, "port": {80}, "targetPort": {"http"}}],
            },
        },
    ),
    "PodDisruptionBudget": ("policy/v1", {"metadata": META, "spec": {"minAvailable": int, "selector": SELECTOR}}),
    "HorizontalPodAutoscaler": (
        "autoscaling/v2",
        {
            "metadata": META,
            "spec": {
                "scaleTargetRef": {"apiVersion": {"apps/v1"}, "kind": {"Deployment"}, "name": {"taskhold"}},
                "minReplicas": int,
                "maxReplicas": int,
                "metrics": [
                    {
                        "type": {"Resource"},
                        "resource": {
                            "name": {"cpu"},
                            "target": {"type": {"Utilization"}, "averageUtilization": int},
                        },
                    }
                ],
            },
        },
    ),
    "NetworkPolicy": (
        "networking.k8s.io/v1",
        {
            "metadata": META,
            "spec": {
                "podSelector": SELECTOR,
                "policyTypes": [{"Ingress", "Egress"}],
                "ingress": [{"ports": [_port], "from?": _monitoring}],
                "egress": [{"ports": [_port]}],
            },
        },
    ),
    "Kustomization": (
        "kustomize.config.k8s.io/v1beta1",
        {
            "namespace": {"taskhold"},
            "resources": [re.compile(r"[a-z]+\.yaml")],
            "labels": [{"pairs": LABELS}],
            "images": [{"name": {"taskhold"}, "newName": TEXT, "newTag": re.compile(r"\d+\.\d+\.\d+")}],
        },
    ),
}


def shape_of(kind):
    version, rest = KINDS[kind]
    return {"apiVersion": {version}, "kind": {kind}, **rest}
