"""The valid options of each section of a cfg.

Options that only affect training, or what Darknet prints, are listed, too: they are known, and ignored. The
lists are those of ``parse_net_options``, of each layer's parser and of ``parse_network_cfg_custom``
in AlexeyAB/darknet (``src/parser.c``).
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ACTIVATIONS", "LISTS", "MAX_LAYERS", "OPTIONS", "RANGE", "REFUSED"]

_TRAINING_NET = """
    batch subdivisions time_steps angle saturation exposure hue momentum decay learning_rate burn_in
    max_batches policy steps scales mosaic mosaic_bound cutmix mixup ema_alpha max_crop min_crop flip blur
    gaussian_noise power gamma max_chart_loss adversarial_lr label_smooth_eps optimized_memory
    workspace_size_limit_MB loss_scale dynamic_minibatch num_sigmas_reject_badlabels try_fix_nan
    init_delay weights_reject_freq equidistant_point badlabels_rejection_percentage sgdr_cycle sgdr_mult
    seq_scales letter_box augment_speed contrastive attention unsupervised show_receptive_field adam B1 B2
    eps track inputs max_ratio min_ratio aspect center contrastive_jit_flip contrastive_color
    step scale learning_rate_min resize_step sequential_subdivisions use_cuda_graph
"""
_TRAINING_LAYER = """
    clip onlyforward dont_update burnin_update stopbackward train_only_bn learning_rate dontsave smooth
    stream wait_stream
"""
_TRAINING_HEAD = """
    jitter resize ignore_thresh truth_thresh random iou_thresh iou_normalizer cls_normalizer
    obj_normalizer delta_normalizer uc_normalizer iou_loss iou_thresh_kind max_delta objectness_smooth
    label_smooth_eps map focal_loss max beta1 counters_per_class ignore_collisions track_history_size
    dets_for_track dets_for_show track_ciou_norm embedding_layer sim_thresh max_boxes absolute bias_match
    class_scale coord_scale noobject_scale object_scale rescore thresh background softmax_tree mask_scale
    joint show_details log sqrt classfix
"""

OPTIONS: Mapping[str, frozenset[str]] = {
    kind: frozenset((words + ("" if kind == "net" else _TRAINING_LAYER)).split())
    for kind, words in {
        "net": "width height channels" + _TRAINING_NET,
        "convolutional": """
            batch_normalize filters size stride pad padding activation groups dilation
            dontload dontloadscales flipped share_index sway rotate stretch stretch_sway binary xnor
            bin_output antialiasing coordconv reverse cbn angle dot grad_centr assisted_excitation
        """,
        "maxpool": "size stride padding maxpool_depth out_channels antialiasing",
        "avgpool": "",
        "route": "layers groups group_id",
        "shortcut": "from activation weights_type weights_normalization",
        "upsample": "stride scale",
        "reorg": "stride reverse",
        "reorg3d": "stride",
        "dropout": "probability dropblock dropblock_size_abs dropblock_size_rel",
        "scale_channels": "from scale_wh activation",
        "sam": "from activation",
        "yolo": "mask anchors classes num scale_x_y nms_kind beta_nms new_coords" + _TRAINING_HEAD,
        "region": "anchors classes num coords softmax" + _TRAINING_HEAD,
    }.items()
}
ACTIVATIONS = frozenset(["linear", "leaky", "relu", "relu6", "mish", "swish", "logistic"])
# Integers that define the network, with the smallest and the largest value that each may have. The largest
# are some ten times those of any published network: beyond, a network of a few bytes would fill the memory.
_FLAG, _WINDOW, _CHANNELS = (0, 1), (1, 128), (1, 65_536)
RANGE: Mapping[tuple[str, str], tuple[int, int]] = {
    ("net", "width"): (1, 4_096),
    ("net", "height"): (1, 4_096),
    ("net", "letter_box"): _FLAG,
    ("convolutional", "batch_normalize"): _FLAG,
    ("convolutional", "filters"): _CHANNELS,
    ("convolutional", "groups"): _CHANNELS,
    ("convolutional", "pad"): _FLAG,
    ("convolutional", "padding"): (0, 128),
    ("convolutional", "size"): _WINDOW,
    ("convolutional", "stride"): _WINDOW,
    ("maxpool", "padding"): (0, 128),
    ("maxpool", "size"): _WINDOW,
    ("maxpool", "stride"): _WINDOW,
    ("reorg", "stride"): _WINDOW,
    ("reorg3d", "stride"): _WINDOW,
    ("route", "group_id"): (0, 65_535),
    ("route", "groups"): _CHANNELS,
    ("upsample", "stride"): (1, 32),
    ("region", "classes"): (1, 10_000),
    ("yolo", "classes"): (1, 10_000),
    ("yolo", "new_coords"): _FLAG,
}
# Lists and fractions that define the network: how many numbers each may have, and the largest size of one.
LISTS: Mapping[tuple[str, str], tuple[int, float]] = {
    ("route", "layers"): (64, 1e4),
    ("shortcut", "from"): (64, 1e4),
    ("scale_channels", "from"): (1, 1e4),
    ("sam", "from"): (1, 1e4),
    ("yolo", "mask"): (100, 100),
    ("yolo", "anchors"): (200, 1e5),
    ("region", "anchors"): (200, 1e5),
    ("yolo", "scale_x_y"): (1, 100),
    ("yolo", "beta_nms"): (1, 100),
    ("region", "scale_x_y"): (1, 100),
    ("region", "beta_nms"): (1, 100),
}
MAX_LAYERS = 2_000
# Unsupported options, which no model at hand needs. They are accepted only if absent or at this value, where
# they have no effect.
REFUSED: Mapping[tuple[str, str], str] = {
    ("convolutional", "dilation"): "1",
    ("convolutional", "dontloadscales"): "0",
    ("convolutional", "dontload"): "0",
    ("convolutional", "flipped"): "0",
    ("convolutional", "share_index"): "-1000000000",
    ("convolutional", "sway"): "0",
    ("convolutional", "rotate"): "0",
    ("convolutional", "stretch"): "0",
    ("convolutional", "stretch_sway"): "0",
    ("convolutional", "binary"): "0",
    ("convolutional", "xnor"): "0",
    ("convolutional", "bin_output"): "0",
    ("convolutional", "antialiasing"): "0",
    ("convolutional", "coordconv"): "0",
    ("convolutional", "reverse"): "0",
    ("convolutional", "cbn"): "0",
    ("maxpool", "maxpool_depth"): "0",
    ("maxpool", "antialiasing"): "0",
    ("shortcut", "weights_type"): "none",
    ("upsample", "scale"): "1",
    ("reorg", "reverse"): "0",
    ("scale_channels", "scale_wh"): "0",
    ("region", "coords"): "4",
    ("region", "softmax"): "1",
    ("region", "softmax_tree"): "0",
    ("region", "background"): "0",
    ("net", "channels"): "3",
}
