EXTRA_DIST += \
	%D%/bench \
	%D%/check-layers \
	%D%/corpus \
	%D%/fuzz \
	%D%/fuzz-coverage \
	%D%/lint \
	%D%/quickstart \
	%D%/setup \
	%D%/soak \
	%D%/structure \
	%D%/test \
	%D%/update-documents
