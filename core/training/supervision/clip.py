"""How well pictures match a sentence, by a CLIP network that the user has (Radford et al. 2021).

The network is read from a folder in the layout of the library transformers, which is an optional
part; nothing is ever fetched.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from core.base.errors import UserError
from core.base.text import text
from core.config.prompt import WEIGHTS_REMEDY, Prompt

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""Of the sRGB that CLIP was trained on, where its folder says nothing else."""


class Clip:
    """What ``prompt`` says, by its own weights. Raises UserError where the library or the weights
    are missing, or these are not of CLIP."""

    def __init__(self, prompt: Prompt, device: torch.device) -> None:
        folder = Path(prompt.weights)
        if not folder.is_dir():
            raise UserError(text("{folder} does not exist", folder=folder), WEIGHTS_REMEDY)
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        try:
            from transformers import (  # pyright: ignore[reportMissingImports]
                AutoTokenizer,
                CLIPModel,
                utils,
            )
        except ImportError as error:
            raise UserError(
                text("Generating a scene from a text prompt needs an optional package"),
                text("Run pip install 'gradina[text]'"),
            ) from error
        utils.logging.disable_progress_bar()
        try:
            loaded: Any = CLIPModel.from_pretrained(
                folder, local_files_only=True, output_loading_info=True
            )
            self._model, cosines = loaded
            if cosines["missing_keys"]:
                raise ValueError(f"{len(cosines['missing_keys'])} tensors are missing")
            words = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._mean, self._std = _normalisation(folder, device)
            self._model.to(device).eval().requires_grad_(False)
            n_words = self._model.config.text_config.max_position_embeddings
            tokens = words(prompt.text, truncation=True, max_length=n_words, return_tensors="pt")
            with torch.no_grad():
                cosines = self._model.get_text_features(**tokens.to(device))
        except Exception as error:  # of many kinds: the files may be anything
            raise UserError(
                text(
                    "{folder} holds no readable CLIP network ({reason})",
                    folder=folder,
                    reason=(str(error).splitlines() or [type(error).__name__])[0][:120],
                ),
                text("Choose a folder with config.json, model.safetensors and the tokenizer files"),
            ) from error
        self._text = F.normalize(_pooled(cosines), dim=-1)
        self.side: int = self._model.config.vision_config.image_size
        """Pixels of the pictures that it looks at."""

    def similarity(self, pictures: Tensor) -> Tensor:
        """[N] cosines of the angles between what ``pictures`` [N, 3, S, S], sRGB, show and what the
        sentence says. Differentiable."""
        pictures = F.interpolate(
            pictures, (self.side, self.side), mode="bilinear", align_corners=False
        )
        rendered = self._model.get_image_features(pixel_values=(pictures - self._mean) / self._std)
        return (F.normalize(_pooled(rendered), dim=-1) * self._text).sum(-1)


def _pooled(features) -> Tensor:
    """Of what a tower of the network answers, in older and newer versions of the library."""
    return features if isinstance(features, Tensor) else features.pooler_output


def _normalisation(folder: Path, device: torch.device) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation [1, 3, 1, 1] of the colours that the network expects."""
    file = folder / "preprocessor_config.json"
    said = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    both = torch.tensor([said.get("image_mean", MEAN), said.get("image_std", STD)], device=device)
    mean, std = both.view(2, 1, 3, 1, 1)
    return mean, std
