"""Lines for a dataset's card that train on it, or read it. `dataset` is loaded above them.

`FOLDER` is the dataset's own name; a line that begins with `$` is for a shell.
"""

from __future__ import annotations


def trl(trainer: str, *, tokenizer: bool = True) -> str:
    named = "model, processing_class=tokenizer" if tokenizer else "model"
    return f"from trl import {trainer}\n{trainer}({named}, train_dataset=dataset).train()"


def llamafactory(stage: str) -> str:
    return (
        f"$ llamafactory-cli train stage={stage} do_train=true model_name_or_path=MODEL "
        "finetuning_type=lora template=default dataset_dir=FOLDER dataset=prmdata output_dir=run"
    )


def swift(kind: str) -> str:
    verb = "sft" if kind == "sft" else f"rlhf --rlhf_type {kind}"
    return f"$ swift {verb} --model MODEL --dataset FOLDER/data"


SFT = trl("SFTTrainer", tokenizer=False)
PRM = """\
from trl.experimental.prm import PRMConfig, PRMTrainer  # TRL up to 1.13: later ones have none
PRMTrainer(model, args=PRMConfig(output_dir="run"), processing_class=tokenizer,
           train_dataset=dataset).train()"""

TOKENS = """\
from transformers import AutoModelForTokenClassification, Trainer
from transformers import DataCollatorForTokenClassification
model = AutoModelForTokenClassification.from_pretrained("MODEL", num_labels=2)
collate = DataCollatorForTokenClassification(tokenizer)
rows = dataset.select_columns(["input_ids", "labels"])
Trainer(model, train_dataset=rows, data_collator=collate).train()"""

GRPO = """\
from prmdata import reward
from trl import GRPOTrainer
GRPOTrainer(model, reward_funcs=reward.accuracy, train_dataset=dataset).train()"""

VERL = """\
$ python -m verl.trainer.main_ppo data.train_files=FOLDER/data/train-00000-of-00001.parquet \
actor_rollout_ref.model.path=MODEL algorithm.adv_estimator=grpo"""

OPENRLHF = """\
$ python -m openrlhf.cli.train_prm --pretrain MODEL --dataset FOLDER --input_key input \
--label_key value --placeholder_token ки --reward_tokens + -"""

CREDIT = {
    "plain": """\
for row in dataset:  # in a loop of your own
    for text, advantage in zip(row["completions"], row["step_advantages"]):
        ...  # weigh the log-probability of the step's tokens with it""",
    "trl": """\
import torch
from torch.nn.utils.rnn import pad_sequence
from trl import GRPOTrainer

def padded(rows, value):
    return pad_sequence([torch.tensor(row) for row in rows], True, value)

class Given(GRPOTrainer):  # its batch comes from here and not from a sampler
    def _generate_and_score_completions(self, rows):
        answers = [row["completion_ids"] for row in rows]
        prompts = padded([row["prompt_ids"][::-1] for row in rows], 0).flip(1)
        before = padded([[1] * len(row["prompt_ids"]) for row in rows], 0).flip(1)
        return {
            "prompt_ids": prompts,
            "prompt_mask": before,
            "completion_ids": padded(answers, 0),
            "completion_mask": padded([[1] * len(ids) for ids in answers], 0),
            "advantages": padded([row["advantages"] for row in rows], 0.0),
            "num_items_in_batch": torch.tensor(sum(map(len, answers))),
        }

Given(model, reward_funcs=lambda completions, **_: [0.0] * len(completions),
      train_dataset=dataset).train()""",
    "verl": """\
import torch
from torch.nn.utils.rnn import pad_sequence
from verl import DataProto

def padded(rows, value):
    return pad_sequence([torch.tensor(row) for row in rows], True, value)

batch = DataProto.from_dict(
    tensors={
        "prompts": padded([ids[::-1] for ids in dataset["prompts"]], 0).flip(1),
        "responses": padded(dataset["responses"], 0),
        "response_mask": padded([[1] * len(ids) for ids in dataset["responses"]], 0),
        "rm_scores": padded(dataset["rm_scores"], 0.0),
        "advantages": padded(dataset["advantages"], 0.0),
    },
    non_tensors={"uid": dataset["uid"]},
)""",
    "areal": """\
import torch
rows = dataset.select_columns(["input_ids", "loss_mask", "rewards"]).with_format("torch")
trajectory = {name: column.unsqueeze(0) for name, column in rows[0].items()}  # of your workflow""",
    "skyrl": """\
generated = dataset.to_dict()  # a GeneratorOutput, column by column""",
    "nemo-gym": """\
dataset.to_json("rollouts.jsonl")  # rollouts as NeMo-Gym writes them""",
    "nemo-rl": """\
logs = dataset.with_format("torch")["message_log"]  # as its GRPO loop has them""",
}

NEMO_RL = """\
dataset.to_json("preferences.jsonl")  # data.train.data_path of NeMo-RL's run_dpo.py, \
dataset_name: PreferenceDataset"""

STEP_DPO = """\
dataset.to_json("steps.json")  # the data of Step-DPO's own training script"""

OVM = """\
dataset.select_columns(["idx", "input", "question", "answer", "ground_truth", "outputs"]) \
.to_json("generated.jsonl")  # for OVM's own scripts"""

PROCESSBENCH = """\
found = [your_model(row["problem"], row["steps"]) for row in dataset]  # the first wrong step, or -1
sum(a == row["label"] for a, row in zip(found, dataset)) / len(dataset)"""

PRM800K = """\
for row in dataset:
    for step in row["label"]["steps"]:
        print(step["completions"][0]["rating"], step["completions"][0]["text"])"""

VISUALPRM = """\
for row in dataset:
    for step in row["steps_with_score"]:
        print(step["score"] > 0, step["step"])"""

RECORDS = """\
import prmdata
traces = list(prmdata.read("FOLDER"))"""

AGAIN = """\
import prmdata
traces = prmdata.import_("FOLDER")"""
