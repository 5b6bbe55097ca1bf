from benchmark.metrics.auroc import Auroc as Auroc
from benchmark.metrics.auroc import bootstrap_auroc as bootstrap_auroc
from benchmark.records.run import Run as Run
from benchmark.records.run import load_run as load_run
from benchmark.run.evaluating import evaluate as evaluate
from benchmark.scoring.against_labels import ScoredTable as ScoredTable
from benchmark.scoring.score import score as score
from cohorts.errors import LeadboardError as LeadboardError

__version__: str
