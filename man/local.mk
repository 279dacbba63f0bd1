dist_man_MANS += \
	%D%/hamlet.1 \
	%D%/hamlet-intake.1 \
	%D%/hamlet-sa-learn.1 \
	%D%/hamlet-train.1 \
	%D%/hamlet.conf.5 \
	%D%/hamletd.8
