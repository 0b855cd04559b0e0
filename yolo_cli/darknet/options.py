"""The valid options of each section of a cfg.

Options that only affect training, or what Darknet prints, are listed, too: they are known, and ignored. The
lists are those of ``parse_net_options``, of each layer's parser and of ``parse_network_cfg_custom``
in AlexeyAB/darknet (``src/parser.c``).
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ACTIVATIONS", "MINIMUM", "OPTIONS", "REFUSED"]

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
# Integers that define the network, with the smallest value that each may have.
MINIMUM: Mapping[tuple[str, str], int] = {
    ("net", "width"): 1,
    ("net", "height"): 1,
    ("net", "letter_box"): 0,
    ("convolutional", "batch_normalize"): 0,
    ("convolutional", "filters"): 1,
    ("convolutional", "groups"): 1,
    ("convolutional", "pad"): 0,
    ("convolutional", "padding"): 0,
    ("convolutional", "size"): 1,
    ("convolutional", "stride"): 1,
    ("maxpool", "padding"): 0,
    ("maxpool", "size"): 1,
    ("maxpool", "stride"): 1,
    ("reorg", "stride"): 1,
    ("reorg3d", "stride"): 1,
    ("route", "group_id"): 0,
    ("route", "groups"): 1,
    ("upsample", "stride"): 1,
    ("region", "classes"): 1,
    ("yolo", "classes"): 1,
    ("yolo", "new_coords"): 0,
}
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
