"""Where every release is published, how large it is, and on what terms. Facts only.

Addresses are the publishers' own. Sizes are those on disk. Where a publisher states none, the size
is that of the signals by the release's own numbers (records, samples, bytes a sample), which the
headers and annotations exceed by about one in a hundred. Sums are never written down here unless
they are known; the publisher's list is asked for the others.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cohorts.errors import UnknownNameError, UsageError

_FACTS = ConfigDict(extra="forbid", frozen=True)


class PhysioNet(BaseModel):
    """A PhysioNet project: a tree of files and a ``SHA256SUMS.txt`` that lists them.

    Attributes
    ----------
    path
        ``project/version``.
    parts
        What is wanted of it: folders (with a ``/`` at the end) and files. Everything if empty.
    open_data
        Whether PhysioNet's own bucket on AWS Open Data holds it too, which answers faster.
    """

    model_config = _FACTS

    path: str = Field(pattern=r"^[a-z0-9-]+/[0-9.]+$")
    parts: tuple[str, ...] = ()
    open_data: bool = False


class Zenodo(BaseModel):
    """One Zenodo record; its files and md5 sums come from Zenodo's API."""

    model_config = _FACTS

    record: int


class Figshare(BaseModel):
    """One figshare article, or all articles of a collection; files and md5 sums come from the API."""

    model_config = _FACTS

    article: int | None = None
    collection: int | None = None


class Unpack(BaseModel):
    """What to do with an archive of a release.

    Attributes
    ----------
    name
        Pattern of the archive's name; a ``.tar.gz`` may be an uncompressed tar.
    into
        Folder that the members go to, below the release's own.
    strip
        Leading folder of the members that is left out, where it is there.
    """

    model_config = _FACTS

    name: str
    into: str = ""
    strip: str = ""


class Release(BaseModel):
    """The facts that a download needs.

    Attributes
    ----------
    folder
        Where it lies below the data root.
    size
        Bytes on disk, about.
    access
        ``"credentialed"`` where the publisher asks for an account and a signature.
    agreement
        What to sign, for a credentialed release.
    page
        The publisher's page, where the agreement is signed too.
    unpack
        Its archives; they are removed once they are unpacked.
    sums
        Sums known beforehand, by file name: a list that says otherwise is refused.
    afterwards
        What is left to do by hand, if anything.
    """

    model_config = _FACTS

    source: PhysioNet | Zenodo | Figshare
    folder: str
    size: int = Field(gt=0)
    licence: str
    page: str
    access: Literal["open", "credentialed"] = "open"
    agreement: str = ""
    unpack: tuple[Unpack, ...] = ()
    sums: dict[str, str] = {}
    afterwards: str = ""


def _physionet(path: str, size: int, licence: str, folder: str = "", **facts: object) -> Release:
    project = path.split("/")[0]
    open_data = bool(facts.pop("open_data", False))
    return Release.model_validate(
        {
            "source": PhysioNet(path=path, open_data=open_data),
            "folder": folder or project,
            "size": size,
            "licence": licence,
            "page": f"https://physionet.org/content/{path}/",
        }
        | facts
    )


def _challenge(folder: str, size: int) -> Release:
    path = "challenge-2021/1.0.3"
    return Release(
        source=PhysioNet(path=path, parts=(f"training/{folder}/", "LICENSE.txt")),
        folder="challenge-2021",
        size=size,
        licence="CC-BY-4.0",
        page=f"https://physionet.org/content/{path}/",
    )


# Ten seconds of twelve leads at 500 Hz and 16 bits are 120,000 bytes; a header has about 700.
# The eight parts of the Challenge tree add up to the 12.6 GiB that its page states.
RELEASES = MappingProxyType(
    {
        # 87,204 files of 3.18 GB in PhysioNet's bucket.
        "ptb-xl": _physionet("ptb-xl/1.0.3", 3_180_000_000, "CC-BY-4.0", open_data=True),
        "challenge-ptb-xl": _challenge("ptb-xl", 2_640_000_000),
        "chapman-shaoxing": _challenge("chapman_shaoxing", 1_240_000_000),
        "cpsc-2018": _challenge("cpsc_2018", 1_340_000_000),
        "cpsc-2018-extra": _challenge("cpsc_2018_extra", 660_000_000),
        "georgia": _challenge("georgia", 1_250_000_000),
        "incart": _challenge("st_petersburg_incart", 822_000_000),
        "ningbo": _challenge("ningbo", 4_210_000_000),
        "ptb": _challenge("ptb", 1_490_000_000),  # at most: 516 records of at most 120 s
        # Signals and headers; the annotations come on top.
        "ludb": _physionet("ludb/1.0.1", 24_200_000, "ODC-By-1.0"),
        "ptbdb": _physionet("ptbdb/1.0.0", 1_980_000_000, "ODC-By-1.0"),  # at most, as ptb
        "incartdb": _physionet("incartdb/1.0.0", 833_000_000, "ODC-By-1.0", open_data=True),
        # 5.1 GiB on its page.
        "ecg-arrhythmia": _physionet("ecg-arrhythmia/1.0.0", 5_450_000_000, "CC-BY-4.0", open_data=True),
        # 90.4 GiB on its page, which names the project "Open Access"; the MIMIC-IV records that it
        # can be linked to are credentialed, the ECGs are not.
        "mimic-iv-ecg": _physionet("mimic-iv-ecg/1.0", 97_017_195_666, "ODbL-1.0"),
        # 100,000 records of 2,500 samples, 12 leads, 8 bytes.
        "echonext": _physionet(
            "echonext/1.1.0",
            24_000_000_000,
            "PhysioNet Restricted Health Data License 1.5.0",
            access="credentialed",
            agreement="the PhysioNet Restricted Health Data Use Agreement 1.5.0",
        ),
        # The archive of signals is 2,281,799,680 bytes, a plain tar in spite of its name.
        "sph": Release(
            source=Figshare(collection=5779802),
            folder="sph",
            size=2_290_000_000,
            licence="CC-BY-4.0",
            page="https://doi.org/10.6084/m9.figshare.c.5779802.v1",
            unpack=(Unpack(name="records.tar*", into="records", strip="records/"),),
        ),
        # 345,797 rows of 4,096 samples, 12 leads, 4 bytes; the archives have 46.3 GB.
        "code-15": Release(
            source=Zenodo(record=4916206),
            folder="code-15",
            size=68_000_000_000,
            licence="CC-BY-4.0",
            page="https://zenodo.org/records/4916206",
            unpack=(Unpack(name="exams_part*.zip"),),
            sums={"exams.csv": "md5:0107516d3f63864498fb77d15799cc95"},
        ),
        # 827 rows of 4,096 samples, 12 leads, at most 8 bytes.
        "code-test": Release(
            source=Zenodo(record=3765780),
            folder="code-test",
            size=325_000_000,
            licence="CC-BY-4.0",
            page="https://zenodo.org/records/3765780",
            unpack=(Unpack(name="data.zip", strip="data/"),),
            sums={"data.zip": "md5:cef8fe457abf4b8f66a34dc1269b4ced"},
        ),
        # The signals come as one archive in two volumes, which zipfile cannot read.
        "zzu-pecg": Release(
            source=Figshare(article=27078763),
            folder="zzu-pecg",
            size=4_063_604_410,
            licence="CC-BY-4.0",
            page="https://doi.org/10.6084/m9.figshare.27078763",
            sums={
                "AttributesDictionary.csv": "md5:ffbbb7ebd8ad4425b3a859739eb65eb1",
                "ECGCode.csv": "md5:7612c5af0e01e052eb85792c5e362f12",
                "DiseaseCode.csv": "md5:0bff597c23397c0d05a937fe09807ad4",
                "Child_ecg.zip": "md5:d7bb207d0f559c5f697bd7e442975718",
                "Child_ecg.z01": "md5:4782e8c17b478745853db85210ce46aa",
            },
            afterwards="The signals are one zip archive in two volumes: join and unpack it with "
            "'zip -s 0 Child_ecg.zip --out whole.zip && unzip whole.zip' (or '7z x Child_ecg.zip'), "
            "which needs another 10 GB.",
        ),
        # 363 records of 1,200 samples, 12 leads, 2 bytes.
        # Diagnoses only; its recordings are those of mimic-iv-ecg.
        "mimic-iv-ecg-ext-icd": _physionet(
            "mimic-iv-ecg-ext-icd-labels/1.0.1",
            323_000_000,
            "PhysioNet Credentialed Health Data License 1.5.0",
            folder="mimic-iv-ecg-ext-icd-labels",
            access="credentialed",
            agreement="the PhysioNet Credentialed Health Data Use Agreement 1.5.0",
        ),
        "brugada-huca": _physionet("brugada-huca/1.0.0", 10_700_000, "CC-BY-SA-4.0"),
        # 1,631 rows of 4,096 samples, 12 leads, 8 bytes.
        "sami-trop": Release(
            source=Zenodo(record=4905618),
            folder="sami-trop",
            size=642_000_000,
            licence="CC-BY-4.0",
            page="https://zenodo.org/records/4905618",
            unpack=(Unpack(name="exams.zip"),),
            sums={
                "exams.csv": "md5:6c9007a0427f7c3d9e1b6fb091231a67",
                "exams.zip": "md5:a7b65f115b0222ad2ecbc6a422496fdd",
            },
        ),
    }
)

_HEEDB = (
    "its publisher gives it to those who sign its agreement at https://bdsp.io/content/heedb/5.0/; put "
    "metadata/, 12SL_diagnoses/ and WFDB/ of {part} into the folder '{folder}'"
)

BY_HAND = MappingProxyType(
    {
        "heedb-mgh": _HEEDB.format(part="ECG/I0001", folder="heedb/ECG/I0001"),
        "heedb-emory": _HEEDB.format(part="ECG/I0006", folder="heedb/ECG/I0006"),
        "hefei": "its publisher gives it to those who log in at "
        "https://tianchi.aliyun.com/competition/entrance/231754/introduction; put hf_round2_train.txt and "
        "the unpacked hf_round2_train/ into the folder 'hefei'",
    }
)
"""Releases that no program can fetch, and what to do instead."""


def find_release(cohort_id: str) -> Release:
    """Look up how a cohort is published.

    Raises
    ------
    UnknownNameError
        With the nearest id that can be downloaded.
    UsageError
        If a person has to fetch it; says how.
    """
    if cohort_id in BY_HAND:
        raise UsageError(f"'{cohort_id}' cannot be downloaded by a program: {BY_HAND[cohort_id]}.")
    if cohort_id not in RELEASES:
        raise UnknownNameError("download", cohort_id, RELEASES)
    return RELEASES[cohort_id]
