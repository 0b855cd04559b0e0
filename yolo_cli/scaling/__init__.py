"""Detection on many machines: a Ray Data pipeline over shards of images, whose boxes go to Parquet files."""

from yolo_cli.scaling.running import Job, ScaledRun, run_job
from yolo_cli.scaling.shards import Shard, plan_shards
from yolo_cli.scaling.table import write_part

__all__ = ["Job", "ScaledRun", "Shard", "plan_shards", "run_job", "write_part"]
