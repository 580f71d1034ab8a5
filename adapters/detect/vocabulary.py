"""The words that ``detect`` knows: parameters, metrics, packages, training methods, verbs.

Tables only. A surface form is written in lower case, its parts separated by spaces ("batch size" also
matches ``batch_size``, ``batch-size`` and ``--batch-size``), and in the singular; the grammar finds plurals.
To teach `detect` a new parameter, add a row; no rule has to change.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum


def word_set(text: str) -> frozenset[str]:
    """The words of a text, as a set: tables of words stay readable as text."""
    return frozenset(text.split())


class Kind(StrEnum):
    """What varying a parameter means for the loop."""

    TRAINING = "training"  # what is learned: a sweep
    RUN = "run"  # how the job is run: a grid of configurations
    RECIPE = "recipe"  # which recipe: one after another
    POOL = "pool"  # part of the pool's match key: cannot vary on one warm pool
    FIXED = "fixed"  # a tuple by nature (Adam's betas): several numbers are one value


class Domain(Enum):
    """Which numbers a parameter can take; decides which numbers can belong to it."""

    FRACTION = "fraction"
    INTEGER = "integer"
    NAME = "name"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a training job.

    Attributes:
        name: the key in a trial and in the loop file's hyperparameters.
        kind: what varying it means.
        domain: which numbers it takes.
        counted: it stands after its number ("8 epochs"), so a number before it is its value.
        doubling: an integer range of it is walked in powers of two.
    """

    name: str
    kind: Kind
    domain: Domain = Domain.ANY
    counted: bool = False
    doubling: bool = False


_F, _I, _N = Domain.FRACTION, Domain.INTEGER, Domain.NAME
_T, _R, _C, _P = Kind.TRAINING, Kind.RUN, Kind.RECIPE, Kind.POOL

PARAMETERS: dict[Parameter, str] = {
    Parameter("lr", _T, _F): "learning rate | lr | learning rates | learnrate | step size | lrs",
    Parameter(
        "weight_decay", _T, _F
    ): "weight decay | wd | l2 regularization | l2 regularisation | l2 penalty",
    Parameter("dropout", _T, _F): "dropout | dropout rate | dropout prob | dropout probability | drop out",
    Parameter("seed", _T, _I): "seed | random seed | rng seed | random state",
    Parameter(
        "epochs", _T, _I, counted=True
    ): "epoch | num epoch | number of epoch | num train epoch | epoch count",
    Parameter(
        "max_steps", _T, _I, counted=True
    ): "step | max step | training step | train step | number of step",
    Parameter("warmup_ratio", _T, _F): "warmup ratio | warm up ratio | warmup fraction | warmup proportion",
    Parameter("warmup_steps", _T, _I, counted=True): "warmup step | warm up step | num warmup step",
    Parameter("warmup", _T): "warmup | warm up",
    Parameter("optimizer", _T, _N): "optimizer | optimiser | optim",
    Parameter("momentum", _T, _F): "momentum",
    Parameter("label_smoothing", _T, _F): "label smoothing | label smoothing factor | smoothing",
    Parameter(
        "max_grad_norm", _T
    ): "max grad norm | gradient clip norm | grad clip | clip norm | clipping threshold",
    Parameter("gradient_clipping", _T): "gradient clipping | grad clipping | gradient clip",
    Parameter("beta1", _T, _F): "beta1 | adam beta1 | beta 1",
    Parameter("beta2", _T, _F): "beta2 | adam beta2 | beta 2",
    Parameter("epsilon", _T, _F): "epsilon | eps | adam epsilon | adam eps",
    Parameter("ema_decay", _T, _F): "ema decay | ema rate",
    Parameter("tau", _T, _F): "tau",
    Parameter("margin", _T): "margin | triplet margin",
    Parameter("kl_coef", _T, _F): "kl coefficient | kl coef | kl penalty coefficient | kl weight",
    Parameter("entropy_coef", _T, _F): "entropy coefficient | entropy coef | entropy bonus coefficient",
    Parameter("clip_range", _T, _F): "clip range | ppo clip | clip ratio | clip epsilon",
    Parameter("num_leaves", _T, _I): "num leaf | num leaves | number of leaves | leaves",
    Parameter("colsample_bytree", _T, _F): "colsample bytree | colsample",
    Parameter("beta", _T, _F): "beta | dpo beta | kl beta",
    Parameter("gamma", _T): "gamma | focal gamma",
    Parameter("temperature", _T): "distillation temperature | softmax temperature | contrastive temperature",
    Parameter("mixup_alpha", _T): "mixup alpha | cutmix alpha",
    Parameter("num_layers", _T, _I, counted=True): "layer | num layer | number of layer | hidden layer",
    Parameter(
        "hidden_size", _T, _I
    ): "hidden size | hidden dim | hidden unit | embedding dim | hidden dimension | d model",
    Parameter("num_heads", _T, _I, counted=True): "attention head | num head | number of head",
    Parameter("max_depth", _T, _I): "max depth | tree depth | depth",
    Parameter("num_round", _T, _I, counted=True): "boosting round | num round | number of round",
    Parameter(
        "n_estimators", _T, _I, counted=True
    ): "estimator | n estimator | tree | number of tree | num tree",
    Parameter("eta", _T, _F): "eta",
    Parameter("subsample", _T, _F): "subsample | subsample ratio",
    Parameter("min_child_weight", _T): "min child weight",
    Parameter("reg_lambda", _T): "lambda | reg lambda",
    Parameter("vocab_size", _T, _I): "vocab size | vocabulary size",
    Parameter("patience", _T, _I): "patience",
    Parameter("fold", _T, _I): "fold",
    Parameter("batch_size", _R, _I, doubling=True): (
        "batch size | bs | batch | batchsize | minibatch size | micro batch size | microbatch size | mini batch size"
        " | per device batch size | per device train batch size | train batch size | global batch size | batch of"
        " | effective batch size | per gpu batch size | minibatch"
    ),
    Parameter("max_seq_length", _R, _I, doubling=True): (
        "sequence length | seq len | seq length | seqlen | max length | max len | context length | context | context size"
        " | context window | max sequence length | max seq len | max seq length | maximum sequence length | block size"
        " | max context length | sequence len | ctx len | input length | maximum length"
    ),
    Parameter("max_tokens", _R, _I, counted=True, doubling=True): "token | max token",
    Parameter("precision", _R, _N): "precision | dtype | mixed precision | data type | numeric precision",
    Parameter("gradient_accumulation_steps", _R, _I, counted=True, doubling=True): (
        "gradient accumulation step | gradient accumulation | grad accumulation | grad accum | grad acc | ga"
        " | accumulate gradient | accumulating gradient | accumulating gradients | accumulation step | grad accumulation step | grad accum step | accumulation"
    ),
    Parameter("num_workers", _R, _I, counted=True): (
        "worker | num worker | dataloader worker | data loader worker | loader worker | number of worker"
    ),
    Parameter("prefetch_factor", _R, _I): "prefetch factor | prefetch",
    Parameter(
        "zero_stage", _R, _I
    ): "zero stage | deepspeed stage | deepspeed zero stage | stage | deepspeed zero",
    Parameter(
        "attn_implementation", _R, _N
    ): "attention implementation | attn implementation | attention backend",
    Parameter(
        "image_size", _R, _I
    ): "image size | resolution | crop size | input size | input resolution | image resolution",
    Parameter("lora_rank", _C, _I, doubling=True): (
        "lora rank | rank | lora r | r | adapter rank | rank of | lora dim | qlora rank | lora with rank"
    ),
    Parameter("lora_alpha", _C): "lora alpha | alpha",
    Parameter("lora_dropout", _C, _F): "lora dropout",
    Parameter("lr_scheduler", _C, _N): (
        "scheduler | lr schedule | lr scheduler | learning rate schedule | learning rate scheduler | schedule"
        " | scheduler type | lr scheduler type"
    ),
    Parameter("quantization", _C, _N): "quantization | quantisation",
    Parameter("instance_count", _P, _I, counted=True): (
        "instance | node | machine | instance count | host | number of instance | number of node | number of machine"
        " | node count | num node"
    ),
    Parameter("gpu_count", _P, _I, counted=True): "gpu | gpu count | number of gpu | num gpu",
    Parameter("volume_gb", _P, _I): "volume size | disk size | ebs size | volume",
    Parameter("instance_type", _P, _N): "instance type | machine type | instance size | instance family",
    Parameter("betas", Kind.FIXED): "betas | adam betas | adam beta | beta1 beta2",
    Parameter("milestones", Kind.FIXED): "milestone | lr milestone",
    Parameter(
        "lr_decay", Kind.FIXED
    ): "learning rate decay | lr decay | decay rate | learning rate decay factor",
}

VALUES: dict[str, dict[str, str]] = {
    "precision": {
        "bf16": "bf16 | bfloat16 | bf 16",
        "fp16": "fp16 | float16 | half precision | fp 16",
        "fp32": "fp32 | float32 | full precision | fp 32",
        "tf32": "tf32",
        "fp8": "fp8 | float8",
    },
    "optimizer": {
        "adam": "adam", "adamw": "adamw | adam w", "adamw_8bit": "adamw 8bit | 8bit adamw | adam8bit | 8bit adam",
        "paged_adamw": "paged adamw | paged adamw 8bit | paged adamw 32bit", "lion": "lion", "adafactor": "adafactor",
        "sgd": "sgd | sgd with momentum", "rmsprop": "rmsprop", "adagrad": "adagrad", "lamb": "lamb", "lars": "lars",
        "sophia": "sophia", "shampoo": "shampoo", "muon": "muon", "nadam": "nadam", "radam": "radam",
        "schedule_free": "schedule free adamw | schedulefree", "adadelta": "adadelta", "soap": "soap",
    },
    "lr_scheduler": {
        "cosine": "cosine | cosine decay | cosine annealing | cosine schedule | cosine scheduler | cosine learning rate schedule",
        "cosine_with_restarts": "cosine with restart | cosine with hard restart | cosine annealing with warm restart",
        "linear": "linear | linear decay | linear schedule | linear scheduler",
        "constant": "constant | constant schedule | constant learning rate | constant lr | constant learning rate schedule",
        "constant_with_warmup": "constant with warmup",
        "polynomial": "polynomial | polynomial decay | polynomial schedule",
        "inverse_sqrt": "inverse sqrt | inverse square root",
        "exponential": "exponential | exponential decay",
        "one_cycle": "one cycle | onecycle | 1cycle",
        "wsd": "wsd | warmup stable decay",
        "step": "step decay | step lr | steplr",
        "reduce_on_plateau": "reduce on plateau | reduce lr on plateau | reducelronplateau",
    },
    "quantization": {
        "4bit": "4bit | 4 bit | nf4 | int4 | fp4",
        "8bit": "8bit | 8 bit | int8",
    },
    "attn_implementation": {
        "sdpa": "sdpa",
        "eager": "eager attention | eager",
        "flash_attention_2": "flash attention 2 | fa2 | flash attention",
    },
}  # fmt: skip

METRICS: dict[str, str] = {
    # lower is better
    "-loss": "loss | cross entropy | cross entropy loss",
    "-perplexity": "perplexity | ppl",
    "-error": "error | error rate | err",
    "-wer": "wer | word error rate",
    "-cer": "cer | character error rate",
    "-rmse": "rmse | root mean squared error",
    "-mse": "mse | mean squared error",
    "-mae": "mae | mean absolute error",
    "-mape": "mape | smape",
    "-log_loss": "log loss | logloss",
    "-nll": "nll | negative log likelihood",
    "-fid": "fid | fid score",
    "-ece": "ece | calibration error",
    "-bpb": "bpb | bits per byte",
    "-kl": "kl | kl divergence",
    "-eer": "eer | equal error rate",
    "-bce": "bce",
    # higher is better
    "+accuracy": "accuracy | acc | accuracies",
    "+f1": "f1 | f1 score | macro f1 | micro f1 | f score | weighted f1",
    "+auc": "auc | roc auc | auroc | aucroc | pr auc | auprc",
    "+recall": "recall | sensitivity",
    "+precision_score": "precision score",
    "+specificity": "specificity",
    "+bleu": "bleu | bleu score | sacrebleu score",
    "+rouge_l": "rouge l | rougel",
    "+rouge": "rouge | rouge 1 | rouge 2 | rouge score",
    "+meteor": "meteor | meteor score",
    "+bertscore": "bertscore | bert score",
    "+map": "map 50 | map score | mean average precision",
    "+iou": "iou | miou | mean iou | jaccard",
    "+dice": "dice | dice score | dice coefficient",
    "+top1": "top 1 | top 1 accuracy | top1 | top1 accuracy",
    "+top5": "top 5 | top 5 accuracy | top5 accuracy",
    "+r2": "r2 | r2 score | r squared",
    "+reward": "reward | mean reward | episode return | mean return",
    "+win_rate": "win rate | winrate",
    "+pass_at_1": "pass @ 1 | pass at 1",
    "+exact_match": "exact match | em score",
    "+mmlu": "mmlu | mmlu score",
    "+gsm8k": "gsm8k",
    "+humaneval": "humaneval",
    "+mcc": "mcc | matthews correlation",
    "+spearman": "spearman | spearman correlation",
    "+pearson": "pearson | pearson correlation",
    "+kappa": "kappa | cohen kappa",
    "+psnr": "psnr",
    "+ssim": "ssim",
    "+ndcg": "ndcg",
    "+mrr": "mrr",
    "+hit_rate": "hit rate",
    "+score": "score | benchmark score | eval score",
}

METRIC_SPLITS: dict[str, str] = {
    "eval": "eval",
    "evaluation": "eval",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "train": "train",
    "training": "train",
    "holdout": "holdout",
}

PACKAGES = """
transformers torch|pytorch numpy scipy scikit-learn|sklearn pandas accelerate peft trl datasets tokenizers
bitsandbytes|bnb flash-attn|flash_attn deepspeed xformers triton sentencepiece protobuf evaluate safetensors
huggingface-hub|hugging_face_hub|hf_hub tensorflow|tf keras jax flax lightning|pytorch_lightning torchvision torchaudio
torchtext torchdata torchmetrics wandb|weights_and_biases mlflow tensorboard timm diffusers optimum auto-gptq autoawq vllm
apex nccl cuda cudnn megatron nemo fairscale horovod pyarrow fsspec s3fs boto3 botocore sagemaker sagemaker-training
pydantic opencv-python|opencv|cv2 pillow|pil albumentations spacy nltk gensim sentence-transformers faiss xgboost
lightgbm catboost unsloth axolotl liger-kernel|liger einops omegaconf hydra-core|hydra ray dask numba cupy cudf matplotlib
tqdm requests urllib3 setuptools wheel ninja packaging typing-extensions filelock regex rouge-score sacrebleu jiwer librosa
soundfile torchao composer mosaicml-streaming webdataset gluonts autogluon kornia monai detectron2 mmcv mmdetection
ultralytics seqeval tiktoken sympy polars h5py zarr lxml click rich orjson psutil mamba-ssm causal-conv1d
transformer-engine smdistributed pip python
"""

AMBIGUOUS_PACKAGES = word_set(
    """
    accelerate datasets evaluate requests wheel packaging ray regex apex lightning optimum composer
    ninja click rich tokenizers python pip cuda tensorboard wandb mlflow sagemaker hydra-core triton
    nemo
    """
)
"""Everyday words too: they are packages only as the object of a verb that changes packages, or with a version."""

METHODS: dict[str, str] = {
    "lora": "lora",
    "qlora": "qlora | q lora",
    "dora": "dora",
    "ia3": "ia3",
    "full fine-tune": (
        "full finetune | full fine tune | full finetuning | full fine tuning | full parameter | full param | full ft"
        " | full parameter fine tuning | full parameter finetuning | full weight fine tuning | complete fine tuning"
        " | full parameter tuning | full tuning | full sft"
    ),
    "prefix tuning": "prefix tuning",
    "prompt tuning": "prompt tuning",
    "p-tuning": "p tuning | ptuning",
    "adapters": "adapter tuning | houlsby adapter",
    "linear probe": "linear probe | linear probing",
    "sft": "sft | supervised fine tuning | supervised finetuning",
    "dpo": "dpo",
    "orpo": "orpo",
    "kto": "kto",
    "ppo": "ppo",
    "grpo": "grpo",
    "rloo": "rloo",
    "simpo": "simpo",
    "ipo": "ipo",
    "cpo": "cpo",
    "rlhf": "rlhf",
    "reinforce": "reinforce",
    "distillation": "distillation | knowledge distillation",
    "continued pretraining": "continued pretraining | continued pre training | cpt",
    "instruction tuning": "instruction tuning",
    "galore": "galore",
    "rslora": "rslora",
    "pissa": "pissa",
    "loftq": "loftq",
    "bitfit": "bitfit",
    "curriculum": "curriculum | curriculum learning",
}

MODEL_FAMILIES = word_set(
    """
    llama llama2 llama3 mistral mixtral qwen qwen2 qwen3 phi phi2 phi3 phi4 gemma gemma2 gemma3 falcon
    bert roberta deberta distilbert t5 flan gpt2 gpt opt bloom pythia olmo vit resnet resnet18 resnet34
    resnet50 resnet101 convnext efficientnet yolo yolov5 yolov8 swin clip whisper wav2vec wav2vec2
    electra albert xlm deepseek starcoder codellama tinyllama smollm mpt stablelm granite nemotron unet
    densenet mobilenet vgg16 bart pegasus mt5 minilm distilgpt2 modernbert
    """
)
EVERYDAY_FAMILIES = word_set("opt phi clip falcon bloom whisper")
"""Everyday words too: they are models only with a size behind them."""
MODEL_SUFFIXES = word_set(
    """
    base large small medium tiny mini nano xl xxl instruct v0 v1 v2 v3 uncased cased net
    b0 b1 b2 b3 b4
    """
)

NUMBER_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "twelve": 12, "twenty": 20, "dozen": 12, "one": 1,
}  # fmt: skip

UNITS = word_set(
    """
    gb mb gib tb hour hr h minute min second sec s day week month time x sample row image example people
    person user request experiment attempt a100 h100 v100 dollar usd percent point run job trial
    combination shard file set fold test model checkpoint chart paragraph sentence word page gigabyte
    terabyte ms way of core cpu vcpu bit
    """
)
"""A number before one of these counts something that is no parameter."""


def surfaces(row: str) -> list[str]:
    """Splits the cell of a table into its surface forms."""
    return [form.strip() for form in row.split("|")]
