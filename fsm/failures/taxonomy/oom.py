"""Memory that ran out: of the accelerator, of the host."""

from __future__ import annotations

from wpfsm.fsm.failures.model import Family
from wpfsm.fsm.failures.taxonomy.rows import FailureClass, LogPattern

ROWS: tuple[FailureClass, ...] = (
    FailureClass(
        "cuda_oom",
        Family.OOM,
        "The accelerator's memory is full.",
        "Halve the batch size and accumulate gradients, or checkpoint activations.",
        "wpfsm",
        (
            LogPattern(
                r"(?:CUDA|HIP|XPU|GPU|MPS backend|cudaMalloc)\b[^\n]{0,40}out of memory|cuda(?:\.|Error)?OutOfMemory|torch\.OutOfMemoryError",
                0.95,
            ),
            LogPattern(
                r"out[_ ]of[_ ]memory[^\n]{0,60}\b(?:CUDA|GPU)|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation",
                0.95,
            ),
            LogPattern(
                r"(?:CUBLAS|CUDNN|CUSOLVER|CUSPARSE)_STATUS_ALLOC_FAILED|Cuda failure[^\n]{0,20}out of memory",
                0.92,
            ),
            LogPattern(
                r"OOM when allocating tensor|RESOURCE_?EXHAUSTED: [^\n]{0,60}(?:memory|allocat)|Failed to allocate[^\n]{0,80}on (?:the )?(?:device|NeuronCore)",
                0.94,
            ),
            LogPattern(
                r"No available memory for the cache blocks|less than desired GPU memory utilization|larger than the (?:maximum number of tokens|available KV cache)",
                0.955,
                fix="Raise gpu_memory_utilization, shorten max_model_len, or use an accelerator with more memory: the model and its cache fill it.",
                stuck="the memory is taken by the model and vLLM's cache, not by a batch",
            ),
            LogPattern(r"NRT_RESOURCE", 0.9),
            LogPattern(
                r"ResourceExhaustedError\b[^\n]*(?:memory|allocat)|Dst tensor is not initialized|NCudaLib::TOutOfMemoryError",
                0.955,
            ),
        ),
        by_file=True,
    ),
    FailureClass(
        "host_oom",
        Family.OOM,
        "The instance's own memory is full, or the kernel killed the process.",
        "Use a smaller batch, fewer data loader workers or streaming; a larger instance is another pool.",
        "wpfsm",
        (
            LogPattern(
                r"(?<!\w)_?(?:\w*Array)?MemoryError\b|Unable to allocate [\d.]+ ?[KMGTP]?i?B|Cannot allocate memory|\bENOMEM\b",
                0.93,
            ),
            LogPattern(
                r"Unable to allocate (?P<size>[\d.]+ ?[KMGTP]?i?B) for an array with shape",
                0.95,
                fix="Read in chunks, or use float32: one array asks for {size}.",
                stuck="one array asks for the memory, whatever the batch",
            ),
            LogPattern(
                r"cannot allocate vector of size|vector memory exhausted",
                0.94,
                fix="Read fewer rows or columns at a time: one vector does not fit.",
                stuck="one vector asks for the memory, whatever the batch",
            ),
            LogPattern(
                r"\[F137\]|neuronx?-cc was forcibly killed|insufficient system memory",
                0.945,
                fix="Compile fewer graphs at once (neuron_parallel_compile --num_parallel), or use an instance with more memory: the compiler was killed.",
            ),
            LogPattern(
                r"(?:unable to (?:write to file|open shared memory|allocate shared memory)|(?P<shared_memory>/dev/shm\S*|shared memory (?:segment|object)))[^\n]{0,160}(?:No space left|temporarily unavailable|Bus error|Cannot allocate)|unable to write to file </torch_\S+: No space left",
                0.98,
                fix="Use fewer data loader workers, or none: the shared memory (/dev/shm) is full.",
            ),
            LogPattern(
                r"std::bad_alloc|DefaultCPUAllocator|can't allocate memory|java\.lang\.OutOfMemoryError|memory allocation of \d+ bytes failed",
                0.91,
            ),
            LogPattern(r"\berror: out of memory", 0.94),
            LogPattern(
                r"oom[-_ ]?kill|out of memory: kill|OutOfMemoryKiller|(?:exceed|over)\w*[^\n]{0,30}memory limit",
                0.94,
            ),
            LogPattern(
                r"instance (?:type )?with more[^\n]{0,20}memory|ClientError:[^\n]{0,80}out of memory|ran out of (?:host )?memory",
                0.94,
            ),
            LogPattern(
                r"killed by signal: (?:Killed|Bus error)|insufficient shared memory|Signals\.SIGKILL|SIGKILL\(-9\)",
                0.9,
            ),
            LogPattern(
                r"\bkill\w*\b[^\n]{0,60}(?:memory pressure|(?:low|short) on memory)|(?:memory pressure|(?:low|short) on memory)[^\n]{0,60}\bkill",
                0.92,
            ),
            LogPattern(
                r"exit(?:ed)?(?: with)?[ -]?(?:code|status)?\W{0,4}(?:-9|137)\b|exitcode\W+-9\b|Signal 9 \(SIGKILL\)",
                0.68,
            ),
            LogPattern(r"^(?:[^\n]*line \d+:\s+\d+ )?Killed\b", 0.72),
            LogPattern(
                r"(?:pthread_create|fork|clone|create (?:a )?(?:new )?(?:thread|worker))[^\n]{0,60}(?:Resource temporarily unavailable|can't start new thread)",
                0.85,
            ),
            LogPattern(
                r"\bout of memory\b(?!\s+(?:\w+\s+)?(?:banks?|cells?|slots?|address\w*|modules?|tokens?|networks?|length|range|bounds?|index)\b)",
                0.74,
            ),
        ),
        by_file=True,
    ),
)
