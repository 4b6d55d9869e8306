#!/usr/bin/env python3
"""Checks Kubernetes manifests given on standard input, or all of deploy/kubernetes, for form and sense.

Usage: check.py FOLDER... | check.py - < rendered.yaml
"""

import pathlib
import sys

import yaml

# Kind -> (apiVersion, paths that must be there).
KINDS = {
    "ConfigMap": ("v1", ["data.conf\\.yml"]),
    "PersistentVolumeClaim": ("v1", ["spec.accessModes", "spec.resources.requests.storage"]),
    "Deployment": ("apps/v1", ["spec.selector.matchLabels", "spec.template.metadata.labels",
                               "spec.template.spec.containers",
                               "spec.template.spec.terminationGracePeriodSeconds",
                               "spec.template.spec.securityContext.runAsNonRoot"]),
    "Service": ("v1", ["spec.selector", "spec.ports"]),
    "PodDisruptionBudget": ("policy/v1", ["spec.maxUnavailable", "spec.selector.matchLabels"]),
    "HorizontalPodAutoscaler": ("autoscaling/v2", ["spec.scaleTargetRef.name", "spec.minReplicas",
                                                   "spec.maxReplicas", "spec.metrics"]),
    "NetworkPolicy": ("networking.k8s.io/v1", ["spec.podSelector.matchLabels", "spec.policyTypes",
                                               "spec.ingress"]),
    "Kustomization": ("kustomize.config.k8s.io/v1beta1", ["resources"]),
}
CONTAINER = ["image", "ports", "readinessProbe", "livenessProbe", "startupProbe", "resources.requests",
             "resources.limits.memory", "securityContext.readOnlyRootFilesystem", "volumeMounts"]
PORTS = {"http": 36789, "grpc": 36790}


def find(node, path):
    for part in path.replace("\\.", "\0").split("."):
        if not isinstance(node, dict) or part.replace("\0", ".") not in node:
            return None
        node = node[part.replace("\0", ".")]
    return node


def missing(node, paths):
    return [path for path in paths if find(node, path) in (None, "", [], {})]


def check_deployment(document):
    spec = document["spec"]["template"]["spec"]
    wanted, labels = document["spec"]["selector"]["matchLabels"], document["spec"]["template"]["metadata"]["labels"]
    if not wanted.items() <= labels.items():
        yield "its selector does not fit its pods"
    volumes = {volume["name"] for volume in spec.get("volumes", [])}
    for container in spec["containers"]:
        yield from (f"container {container['name']}: no {path}" for path in missing(container, CONTAINER))
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        if ports != PORTS:
            yield f"ports {ports}, not {PORTS}"
        yield from (f"no volume {mount['name']}" for mount in container.get("volumeMounts", [])
                    if mount["name"] not in volumes)


def check_selectors(documents):
    """Whatever selects pods selects those of the Deployment."""
    pods = [d["spec"]["template"]["metadata"]["labels"] for d in documents if d["kind"] == "Deployment"
            and find(d, "spec.template")]
    for document in documents:
        spec = document.get("spec", {})
        selector = {"Service": lambda: spec["selector"],
                    "PodDisruptionBudget": lambda: spec["selector"]["matchLabels"],
                    "NetworkPolicy": lambda: spec["podSelector"]["matchLabels"]}.get(document["kind"])
        if selector and not any(selector().items() <= labels.items() for labels in pods):
            yield f"{document['kind']} {document['metadata']['name']}: selects no pod"


def check(documents, is_patch):
    for document in documents:
        kind = document.get("kind")
        name = f"{kind} {find(document, 'metadata.name') or ''}".strip()
        if kind not in KINDS:
            yield f"{name}: a kind this check does not know"
            continue
        version, paths = KINDS[kind]
        if document.get("apiVersion") != version:
            yield f"{name}: apiVersion {document.get('apiVersion')}, not {version}"
        if is_patch(document):
            continue
        yield from (f"{name}: no {path}" for path in missing(document, paths))
        if kind != "Kustomization" and not find(document, "metadata.labels"):
            yield f"{name}: no labels"
        if kind == "Deployment":
            yield from (f"{name}: {problem}" for problem in check_deployment(document))
        if kind == "ConfigMap" and not isinstance(yaml.safe_load(document["data"]["conf.yml"]), dict):
            yield f"{name}: conf.yml is not a mapping"


def check_folder(folder):
    """Every file parses, and every file is named by its kustomization."""
    documents, patches = [], []
    for path in sorted(folder.glob("*.yaml")):
        documents += [document for document in yaml.safe_load_all(path.read_text()) if document]
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    for patch in kustomization.get("patches", []):
        patches.append(yaml.safe_load((folder / patch["path"]).read_text()))
    named = {name for name in kustomization["resources"] if not name.endswith("/")}
    named |= {patch["path"] for patch in kustomization.get("patches", [])} | {"kustomization.yaml"}
    files = {path.name for path in folder.glob("*.yaml")}
    yield from (f"{folder.name}: {name} is not in kustomization.yaml" for name in sorted(files - named))
    yield from (f"{folder.name}: kustomization.yaml names {name}" for name in sorted(named - files))
    yield from check(documents, lambda document: document in patches)
    if not patches:
        yield from check_selectors(documents)


def main():
    problems = []
    for argument in sys.argv[1:]:
        if argument == "-":
            documents = [document for document in yaml.safe_load_all(sys.stdin) if document]
            if not documents:
                problems.append("nothing was rendered")
            problems += check(documents, lambda document: False)
            problems += check_selectors(documents)
        else:
            problems += check_folder(pathlib.Path(argument))
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
