"""A network in the shape of CLIP, far too small to know anything, and its tokenizer, in a folder;
and what can be asked of pictures without one."""

from pathlib import Path

import torch
import torch.nn.functional as F

WORDS = ("<pad>", "<start>", "<end>", "<other>", "a", "red", "blue", "ball", "vase")
SIDE = 32


def tiny_clip(folder: Path) -> Path:
    """As transformers saves one."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

    numbers = {word: i for i, word in enumerate(WORDS)}
    words = Tokenizer(models.WordLevel(numbers, unk_token="<other>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>", special_tokens=[("<start>", 1), ("<end>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="<pad>",
        bos_token="<start>",
        eos_token="<end>",
        unk_token="<other>",
    ).save_pretrained(folder)
    size = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "initializer_factor": 3.0,
    }
    torch.manual_seed(0)
    CLIPModel(
        CLIPConfig(
            text_config={
                **size,
                "vocab_size": len(WORDS),
                "max_position_embeddings": 8,
                "pad_token_id": 0,
                "bos_token_id": 1,
                "eos_token_id": 2,
            },
            vision_config={**size, "image_size": SIDE, "patch_size": 8},
            projection_dim=16,
        )
    ).save_pretrained(folder)
    return folder


def red_in_the_middle(pictures: torch.Tensor) -> torch.Tensor:
    """[N]: of how much of the redness of ``pictures`` [N, 3, S, S] there is in a disc in their
    middle, 1 where it is all that there is."""
    small = F.interpolate(pictures, (SIDE, SIDE), mode="bilinear", align_corners=False)
    line = torch.linspace(-1, 1, SIDE)
    disc = (line[:, None] ** 2 + line**2 < 0.35**2).float()
    red = small[:, 0] - 0.5 * (small[:, 1] + small[:, 2])
    return (red * disc).sum((1, 2)) / disc.norm() / (red.flatten(1).norm(dim=1) + 1)
