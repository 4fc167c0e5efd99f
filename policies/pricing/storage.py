"""Buckets, images, file systems and the volumes of pods."""

from __future__ import annotations

from policies.pricing.bill import Bill, Parts
from policies.pricing.model import Item
from policies.pricing.nodes import optional, volume_parts
from policies.pricing.reading import GIB, Inputs

_CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_EBS = ("ebs.csi.aws.com", "kubernetes.io/aws-ebs", "ebs.csi.eks.amazonaws.com")


def _bucket(bill: Bill) -> None:
    bill.by_use("standard_gb", "s3", "standard storage")
    bill.by_use("infrequent_gb", "s3", "standard-IA storage")
    bill.by_use("archive_gb", "s3", "glacier flexible storage")
    bill.by_use("put_requests", "s3", "PUT requests", per=1000)
    bill.by_use("get_requests", "s3", "GET requests", per=1000)


def _repository(bill: Bill) -> None:
    bill.by_use("stored_gb", "ecr", "storage")


# File systems


def _efs(bill: Bill) -> None:
    one_zone = bill.inputs.at("availabilityZoneName").present
    bill.by_use("stored_gb", "efs", "one zone storage" if one_zone else "standard storage")
    if not one_zone:
        bill.by_use("infrequent_gb", "efs", "standard infrequent access storage")


def _efs_throughput(bill: Bill) -> None:
    if bill.inputs.at("throughputMode").text("bursting") == "provisioned":
        rate = bill.inputs.at("provisionedThroughputInMibps").number()
        bill.charge("efs", "provisioned throughput", rate, f"{rate:g} MB/s")
    elif bill.inputs.at("throughputMode").text("bursting") == "elastic":
        bill.lack("elastic throughput", "no price is known for what is read and written")


def _lustre(bill: Bill) -> None:
    """Persistent SSD by its size; a price is known of one throughput class."""
    inputs = bill.inputs
    deployment = inputs.at("deploymentType").text("SCRATCH_1")
    rate = inputs.at("perUnitStorageThroughput").number(0)
    size = inputs.at("storageCapacity").number()
    kind = inputs.at("storageType").text("SSD")
    item = (
        f"lustre persistent {kind} {rate:g} MB/s/TiB" if deployment.startswith("PERSISTENT") else f"lustre {deployment}"
    )
    bill.charge("fsx", item, size, f"{size:,g} GB")


def _other_fsx(bill: Bill) -> None:
    bill.lack("file system", "no price is known for FSx other than Lustre")


# Volumes of pods


def _claim(bill: Bill) -> None:
    """A claim becomes a volume of its class."""
    _volume(bill, bill.inputs.at("spec"), 1, "1 claim")


def _claims_of_set(bill: Bill) -> None:
    """A StatefulSet makes its claims once for every pod."""
    spec = bill.inputs.at("spec")
    for template in spec.at("volumeClaimTemplates").items():
        pods = spec.at("replicas").number(1)
        _volume(bill, template.at("spec"), pods, f"{pods:g} pods")


def _volume(bill: Bill, spec: Inputs, count: float, said: str) -> None:
    found = _class(bill, spec.at("storageClassName"))
    size = float(spec.at("resources", "requests", "storage").quantity() / GIB)
    if found is None:
        bill.lack(f"{said} × {size:g} GiB", "its storage class is not declared here: what it is made of is not known")
        return
    inputs = Inputs(found.properties)
    if inputs.at("provisioner").text() not in _EBS:
        bill.lack(f"{said} × {size:g} GiB", f"no price is known for volumes of {inputs.at('provisioner').text()}")
        return
    parameters = inputs.at("parameters")
    kind = parameters.at("type").text("gp3")
    parts = volume_parts(kind, size, optional(parameters.at("iops")), optional(parameters.at("throughput")))
    for item, each, unit in parts:
        bill.charge("ebs", item, count * each, f"{said} × {each:g} {unit}")


def _class(bill: Bill, name: Inputs) -> Item | None:
    """The class that is asked for, or the default one."""
    for one in bill.around.of(_CLASS):
        metadata = Inputs(one.properties).at("metadata")
        if name.present and metadata.at("name").value == name.text():
            return one
        if not name.present and metadata.at("annotations", _DEFAULT_CLASS).flag():
            return one
    return None


PARTS: Parts = {
    "aws:s3/bucket:Bucket": [_bucket],
    "aws:s3/bucketV2:BucketV2": [_bucket],
    "aws:ecr/repository:Repository": [_repository],
    "aws:efs/fileSystem:FileSystem": [_efs, _efs_throughput],
    "aws:fsx/lustreFileSystem:LustreFileSystem": [_lustre],
    "aws:fsx/ontapFileSystem:OntapFileSystem": [_other_fsx],
    "aws:fsx/openZfsFileSystem:OpenZfsFileSystem": [_other_fsx],
    "aws:fsx/windowsFileSystem:WindowsFileSystem": [_other_fsx],
    "kubernetes:core/v1:PersistentVolumeClaim": [_claim],
    "kubernetes:apps/v1:StatefulSet": [_claims_of_set],
}
