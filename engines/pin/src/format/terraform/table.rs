//! Which attributes of which resources hold an image, by the documentation of their providers.
//!
//! ```text
//! azurerm_container_group    container.image        edited
//! aws_lambda_function        image_uri              seen: a tag or a digest, never both
//! google_compute_instance    … image                a machine's image, which is none
//! ```

/// What is done with an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It is a reference.
    Edit,
    /// It is one of a pipeline's steps.
    Pipeline,
    /// It takes a tag or a digest, not both.
    Either,
    /// It names what is made.
    Target,
    /// It is a text in another language, in which references stand.
    Embedded,
    /// It is a value that a chart takes.
    Chart,
}

/// Type, the way below the resource or its end, what is done. A `*` ends a type that is a family.
///
/// Source: the providers' pages in the Terraform registry: kreuzwerker/docker, hashicorp/kubernetes, gavinbunney/kubectl,
/// hashicorp/helm, hashicorp/aws, hashicorp/google, hashicorp/azurerm, hashicorp/nomad.
const KNOWN: &[(&str, &str, Use)] = &[
    ("docker_image", "name", Use::Edit),
    ("docker_container", "image", Use::Edit),
    ("docker_service", "task_spec.container_spec.image", Use::Edit),
    ("docker_registry_image", "name", Use::Target),
    ("docker_tag", "target_image", Use::Target),
    ("kubernetes_*", "container.image", Use::Edit),
    ("kubernetes_*", "init_container.image", Use::Edit),
    ("kubernetes_*", "containers.image", Use::Edit),
    ("kubernetes_*", "initContainers.image", Use::Edit),
    ("kubectl_manifest", "yaml_body", Use::Embedded),
    ("helm_release", "set.value", Use::Chart),
    ("helm_release", "values", Use::Embedded),
    ("aws_ecs_task_definition", "container_definitions.image", Use::Edit),
    ("aws_ecs_task_definition", "container_definitions", Use::Embedded),
    ("aws_batch_job_definition", "container_properties.image", Use::Edit),
    ("aws_batch_job_definition", "container_properties", Use::Embedded),
    ("aws_apprunner_service", "source_configuration.image_repository.image_identifier", Use::Edit),
    // AWS Lambda API, FunctionCode.ImageUri; SageMaker API, ContainerDefinition.Image: `[:tag]` or `[@digest]`.
    ("aws_lambda_function", "image_uri", Use::Either),
    ("aws_sagemaker_model", "container.image", Use::Either),
    ("aws_sagemaker_model", "primary_container.image", Use::Either),
    ("aws_codebuild_project", "environment.image", Use::Pipeline),
    ("google_cloud_run_service", "template.spec.containers.image", Use::Edit),
    ("google_cloud_run_v2_service", "template.containers.image", Use::Edit),
    ("google_cloud_run_v2_job", "template.template.containers.image", Use::Edit),
    ("google_cloud_run_v2_worker_pool", "template.containers.image", Use::Edit),
    ("azurerm_container_group", "container.image", Use::Edit),
    ("azurerm_container_group", "init_container.image", Use::Edit),
    ("azurerm_container_app*", "template.container.image", Use::Edit),
    ("azurerm_container_app*", "template.init_container.image", Use::Edit),
    ("nomad_job", "jobspec", Use::Embedded),
];

/// Families of machines, disks and system containers: what they call an image is none of a registry.
const MACHINES: &[&str] = &[
    "alicloud_",
    "aws_ami",
    "aws_imagebuilder_",
    "aws_instance",
    "aws_launch_",
    "aws_spot_",
    "azurerm_image",
    "azurerm_linux_virtual_",
    "azurerm_shared_image",
    "azurerm_virtual_machine",
    "azurerm_windows_virtual_",
    "civo_",
    "cloudstack_",
    "digitalocean_droplet",
    "equinix_",
    "exoscale_",
    "google_compute_",
    "google_notebooks_",
    "hcloud_",
    "ibm_is_",
    "incus_",
    "libvirt_",
    "linode_",
    "lxd_",
    "maas_",
    "metal_",
    "nutanix_",
    "oci_core_",
    "opennebula_",
    "openstack_",
    "ovh_",
    "packet_",
    "profitbricks_",
    "proxmox_",
    "scaleway_instance_",
    "tencentcloud_",
    "upcloud_",
    "vsphere_",
    "vultr_",
    "yandex_compute_",
];

/// What an attribute of a resource is known to hold.
pub(super) fn known(kind: &str, way: &str) -> Option<Use> {
    let is_kind = |known: &str| match known.strip_suffix('*') {
        Some(family) => kind.starts_with(family),
        None => kind == known,
    };
    let is_way = |known: &str| {
        way.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let row = KNOWN.iter().find(|(own, end, _)| is_kind(own) && is_way(end));
    row.map(|(_, _, what)| *what)
}

/// Whether a resource is about machines.
pub(super) fn is_machine(kind: &str) -> bool {
    MACHINES.iter().any(|family| kind.starts_with(family))
}

/// Whether a name speaks of a container's image.
pub(super) fn is_image(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let of_machines =
        ["vm_image", "os_image", "machine_image", "boot_image", "disk_image", "source_image"];
    let ends = ["image", "image_uri", "image_url", "image_name"];
    ends.iter().any(|end| name.ends_with(end)) && !of_machines.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_by_its_end_and_its_family() {
        let cases = [
            ("kubernetes_cron_job_v1", "spec.template.spec.container.image", Some(Use::Edit)),
            ("kubernetes_pod", "spec.mycontainer.image", None),
            ("aws_sagemaker_model", "primary_container.image", Some(Use::Either)),
            ("azurerm_container_app_job", "template.container.image", Some(Use::Edit)),
            ("google_compute_instance", "boot_disk.initialize_params.image", None),
        ];
        for (kind, way, expected) in cases {
            assert_eq!(known(kind, way), expected, "{kind} {way}");
        }
        assert!(is_machine("google_compute_instance") && !is_machine("google_cloud_run_service"));
        assert!(is_image("apiImage") && is_image("image") && !is_image("vm_image"));
    }
}
