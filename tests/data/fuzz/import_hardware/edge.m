// Entries of MAESTRO e1d8efd, data/hw; sizes of GAMMA 3d6caf8, edge platform.
num_pes: 168
l1_size_cstr: 512
l2_size_cstr: 108000
noc_bw_cstr: 64
offchip_bw_cstr: 64
