//! Where custom kinds have their images, and which keys called `image` are none: data, with the source of each line.
//!
//! ```text
//! postgresql.cnpg.io  Cluster  spec.imageName  ->  an image, though no key is called `image`
//! ```
//! A group may begin with `*`, a kind may be `*`; in a path `*` is any key, `[]` any entry, `**` any way down. What is
//! called `image` is found without this list; of lines that meet one value the first counts.

use crate::knowledge::Holds::{self, Base, Built, Image, Kustomize, Named, Nothing, Part, Values};

/// One line.
pub(super) struct Known {
    pub(super) group: &'static str,
    pub(super) kinds: &'static [&'static str],
    pub(super) path: &'static str,
    pub(super) holds: Holds,
}

const fn line(
    group: &'static str,
    kinds: &'static [&'static str],
    path: &'static str,
    holds: Holds,
) -> Known {
    Known { group, kinds, path, holds }
}

/// Groups whose objects are pipelines: their images run steps, not an environment.
/// Source: Tekton docs, "Tasks"; Shipwright docs, "Build"; kpack docs, "Builders".
pub(super) const PIPELINES: [&str; 4] =
    ["tekton.dev", "shipwright.io", "kpack.io", "build.openshift.io"];

const ARGO: &[&str] = &["Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow"];
const ANY: &[&str] = &["*"];
const KAFKAS: &[&str] =
    &["Kafka", "KafkaConnect", "KafkaBridge", "KafkaMirrorMaker", "KafkaMirrorMaker2"];
const PROMETHEUS: &[&str] = &["Prometheus", "PrometheusAgent", "Alertmanager", "ThanosRuler"];

/// The list. Lines with `Nothing` stand behind those that they except.
pub(super) const KNOWN: &[Known] = &[
    // Argo Workflows docs, "Field Reference": ContainerNode, ScriptTemplate, UserContainer.
    line("argoproj.io", ARGO, "**.templates[].container.image", Image),
    line("argoproj.io", ARGO, "**.templates[].script.image", Image),
    // Argo Rollouts docs, "Specification": a pod template as in a Deployment.
    line("argoproj.io", &["Rollout"], "spec.template.spec.containers[].image", Image),
    // Argo Rollouts docs, "Analysis": the job of a metric.
    line(
        "argoproj.io",
        &["AnalysisTemplate", "ClusterAnalysisTemplate"],
        "**.containers[].image",
        Image,
    ),
    // Tekton docs, "Tasks" and "TaskRuns": steps, sidecars, stepTemplate; also inside Pipelines.
    line("tekton.dev", ANY, "**.steps[].image", Image),
    line("tekton.dev", ANY, "**.sidecars[].image", Image),
    line("tekton.dev", ANY, "**.stepTemplate.image", Image),
    // Tekton docs, "Tekton Bundles contract": taskRef.bundle and pipelineRef.bundle name an OCI artifact.
    line("tekton.dev", ANY, "**.taskRef.bundle", Image),
    line("tekton.dev", ANY, "**.pipelineRef.bundle", Image),
    // Knative docs, "Configuring the Knative Serving Operator custom resource", private repository.
    line("operator.knative.dev", ANY, "spec.registry.override.*", Image),
    line("operator.knative.dev", ANY, "spec.registry.default", Image),
    line(
        "serving.knative.dev",
        &["Service", "Configuration", "Revision"],
        "**.containers[].image",
        Image,
    ),
    // prometheus-operator, pkg/operator/image.go, BuildImagePath: image, else baseImage with sha, tag or version.
    line("monitoring.coreos.com", PROMETHEUS, "spec.image", Image),
    line("monitoring.coreos.com", PROMETHEUS, "spec.baseImage", Base),
    line("monitoring.coreos.com", PROMETHEUS, "spec.thanos.image", Image),
    line("monitoring.coreos.com", PROMETHEUS, "spec.thanos.baseImage", Base),
    // CloudNativePG docs, "API Reference", ClusterSpec; "Image Catalog".
    line("postgresql.cnpg.io", &["Cluster"], "spec.imageName", Image),
    line("postgresql.k8s.enterprisedb.io", &["Cluster"], "spec.imageName", Image),
    line("postgresql.cnpg.io", &["ImageCatalog", "ClusterImageCatalog"], "**.image", Image),
    line("postgresql.cnpg.io", ANY, "**.extensions[].image.reference", Image),
    // Strimzi docs, "Custom resource API reference": KafkaConnect's build makes its own image.
    line("kafka.strimzi.io", &["KafkaConnect"], "spec.build.output.image", Built),
    line("kafka.strimzi.io", KAFKAS, "**.brokerRackInitImage", Image),
    line("kafka.strimzi.io", KAFKAS, "**.clientRackInitImage", Image),
    line("kafka.strimzi.io", KAFKAS, "**.image", Image),
    // Istio docs, "IstioOperator Options": hub and tag make the names of all components.
    line("install.istio.io", &["IstioOperator"], "spec.tag", Part),
    line("install.istio.io", &["IstioOperator"], "spec.components.*.tag", Part),
    line("install.istio.io", &["IstioOperator"], "spec.components.*[].tag", Part),
    line("install.istio.io", &["IstioOperator"], "spec.values.**.tag", Part),
    line("install.istio.io", &["IstioOperator"], "spec.values.**.image", Part),
    // Sail operator docs, "Istio resource": values as in the charts of Istio.
    line("sailoperator.io", ANY, "spec.values.**.tag", Part),
    line("sailoperator.io", ANY, "spec.values.**.image", Part),
    // Istio docs, "ProxyConfig": imageType is `default` or `distroless`.
    line("networking.istio.io", &["ProxyConfig"], "spec.image.imageType", Nothing),
    // KEDA docs, "ScaledJob specification".
    line("keda.sh", &["ScaledJob"], "spec.jobTargetRef.**.containers[].image", Image),
    // OpenShift docs, "ImageStream" and "BuildConfig": from {kind: DockerImage, name}; output.to is what is made.
    line("image.openshift.io", &["ImageStream"], "spec.tags[].from.name", Named),
    line("build.openshift.io", &["BuildConfig", "Build"], "spec.strategy.*.from.name", Named),
    line("build.openshift.io", &["BuildConfig", "Build"], "spec.source.images[].from.name", Named),
    // OpenShift Hive docs, "ClusterImageSet".
    line("hive.openshift.io", &["ClusterImageSet"], "spec.releaseImage", Image),
    // Shipwright docs, "Build": output.image is what is made.
    line("shipwright.io", &["Build", "BuildRun"], "spec.output.image", Built),
    // kpack docs, "Images", "Stacks", "Stores": tag is what is made.
    line("kpack.io", &["Image", "Builder", "ClusterBuilder"], "spec.tag", Built),
    // Flux docs, "Kustomization", images; "ImageRepository", whose image is looked at and not run.
    line("kustomize.toolkit.fluxcd.io", &["Kustomization"], "spec.images", Kustomize),
    line("image.toolkit.fluxcd.io", &["ImageRepository"], "spec.image", Nothing),
    // Flux docs, "HelmRelease", values; Argo CD docs, "Helm", valuesObject.
    line("helm.toolkit.fluxcd.io", &["HelmRelease"], "spec.values", Values),
    line("argoproj.io", &["Application", "ApplicationSet"], "**.valuesObject", Values),
    // Cluster API provider Docker, DockerMachineSpec; KubeVirt docs, "containerDisk": these are container images.
    line("infrastructure.cluster.x-k8s.io", ANY, "**.customImage", Image),
    line("infrastructure.cluster.x-k8s.io", ANY, "**.containerDisk.image", Image),
    line("infrastructure.cluster.x-k8s.io", ANY, "**.containers[].image", Image),
    // Cluster API provider books (GCP, OpenStack, Linode, DigitalOcean, IBM, MAAS): the image of a machine.
    line("infrastructure.cluster.x-k8s.io", ANY, "**.image", Nothing),
    line("infrastructure.cluster.x-k8s.io", ANY, "**.*Image", Nothing),
    // OpenShift docs, "Creating a compute machine set on GCP": providerSpec.value.disks[].image.
    line("machine.openshift.io", ANY, "**.image", Nothing),
    line("machine.sapcloud.io", ANY, "**.image", Nothing),
    // KubeVirt docs, "Disks and Volumes": containerDisk and kernelBoot.container are container images.
    line("kubevirt.io", ANY, "**.containerDisk.image", Image),
    line("kubevirt.io", ANY, "**.kernelBoot.container.image", Image),
    // Crossplane providers, "Instance" of GCP: bootDisk[].initializeParams[].image; DigitalOcean's Droplet.
    line("*.gcp.upbound.io", ANY, "**.initializeParams[].image", Nothing),
    line("compute.gcp.crossplane.io", ANY, "**.image", Nothing),
    line("*.do.crossplane.io", &["Droplet"], "**.image", Nothing),
    line("*.openstack.crossplane.io", ANY, "**.image", Nothing),
    line("openstack.k-orc.cloud", ANY, "**.image", Nothing),
    // VM operator API reference, VirtualMachineSpec.
    line("vmoperator.vmware.com", ANY, "**.image", Nothing),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_a_group_a_kind_and_a_path() {
        for known in KNOWN {
            assert!(!known.group.is_empty() && !known.kinds.is_empty(), "{}", known.path);
            assert!(known.path.split('.').all(|step| !step.is_empty()), "{}", known.path);
        }
    }
}
